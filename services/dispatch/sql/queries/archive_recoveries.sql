-- One page of the wrong payments of a batch that are, or were, taken back.
SELECT recovery_id, case_id, item_id, cause, state, due_fen, received_fen, reason, opened_by, opened_on, approved_by, notice,
       due_on, document, write_off_by, decided_by, decision, state_since_on, reference
FROM recovery
WHERE district = $1::integer AND batch_id = $2::bigint AND recovery_id > $3::bigint ORDER BY recovery_id LIMIT $4::integer
