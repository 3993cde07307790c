-- Each step of a recovery begins here: its row is locked, so that of two steps one comes after the other.
SELECT recovery_id, case_id, district, batch_id, item_id, cause, state, due_fen, received_fen, reason, opened_by, opened_on,
       approved_by, notice, due_on, document, write_off_by, decision, reference
FROM recovery WHERE district = $1::integer AND recovery_id = $2::bigint FOR UPDATE
