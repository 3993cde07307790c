-- The recovery of an item that money given back counts for; locked.
SELECT recovery_id, case_id, district, batch_id, item_id, cause, state, due_fen, received_fen, reason, opened_by, opened_on,
       approved_by, notice, due_on, document, write_off_by, decision
FROM recovery WHERE district = $1::integer AND item_id = $2::bigint AND state BETWEEN 1 AND 4 FOR UPDATE
