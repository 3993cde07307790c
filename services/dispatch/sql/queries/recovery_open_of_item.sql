-- The recovery of an item that money given back counts for, first that of an attempt paid besides; locked.
SELECT recovery_id, case_id, district, batch_id, item_id, cause, state, due_fen, received_fen, reason, opened_by, opened_on,
       approved_by, notice, due_on, document, write_off_by, decision, reference
FROM recovery WHERE district = $1::integer AND item_id = $2::bigint AND state BETWEEN 1 AND 4
ORDER BY reference DESC LIMIT 1 FOR UPDATE
