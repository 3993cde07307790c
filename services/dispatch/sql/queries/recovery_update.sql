-- What a step changed; the row is locked by this transaction, and the state that was seen must still be the state.
UPDATE recovery SET state = $4::smallint, received_fen = $5::bigint, approved_by = $6::text, notice = $7::text,
       due_on = $8::date, document = $9::text, write_off_by = $10::text, decided_by = $11::text, decision = $12::text,
       state_since_on = CASE WHEN state = $4::smallint THEN state_since_on ELSE $13::date END
WHERE district = $1::integer AND recovery_id = $2::bigint AND state = $3::smallint
