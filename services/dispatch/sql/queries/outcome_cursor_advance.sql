-- The cursor moves in the transaction that applies the chunk: each is applied once.
UPDATE outcome_cursor SET applied = $3::bigint WHERE gateway = $1::text AND fence = $2::bigint
