-- One item of a batch.
SELECT amount_fen FROM item WHERE district = $1::integer AND item_id = $2::bigint AND batch_id = $3::bigint
