-- What lines and decisions did to the money of cases; one that is settled is closed. Their rows are locked in the order of ids by
-- whoever holds the bank's.
UPDATE reconciliation_case c
SET open_fen = c.open_fen + r.delta, events = c.events + 1,
    state = CASE WHEN r.closes THEN 5 ELSE c.state END, closed_on = CASE WHEN r.closes THEN $1::date ELSE c.closed_on END
FROM unnest($2::bigint[], $3::bigint[], $4::boolean[]) AS r (case_id, delta, closes)
WHERE c.case_id = r.case_id
RETURNING c.case_id, c.state, c.events, (SELECT b.state FROM reconciliation_case b WHERE b.case_id = c.case_id)
