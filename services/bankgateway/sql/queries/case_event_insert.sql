-- The history of cases, with the number that the case's own row has counted.
INSERT INTO case_event (case_id, event_no, on_day, what, from_state, to_state, actor, decision, amount_fen, note)
SELECT r.case_id, r.event_no, $1, r.what, r.from_state, r.to_state, $2, r.decision, r.amount_fen, r.note
FROM unnest($3::bigint[], $4::integer[], $5::text[], $6::smallint[], $7::smallint[], $8::smallint[], $9::bigint[], $10::text[])
     AS r (case_id, event_no, what, from_state, to_state, decision, amount_fen, note)
