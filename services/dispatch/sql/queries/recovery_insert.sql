-- Recoveries of one case in one statement; the key of open ones decides where two people open the same.
INSERT INTO recovery (district, recovery_id, case_id, batch_id, item_id, cause, state, due_fen, reason, opened_by, opened_on,
                      state_since_on, reference)
SELECT $1::integer, r.recovery_id, $2::bigint, r.batch_id, r.item_id, $3::smallint, $4::smallint, r.due_fen, $5::text,
       $6::text, $7::date, $7::date, r.reference
FROM unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
     AS r (recovery_id, batch_id, item_id, due_fen, reference)
