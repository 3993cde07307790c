-- All outcomes so far, by ranges as known_instructions: nearly always none or one for each reference, so the reader keeps the
-- last.
SELECT o.reference, o.outcome_no, o.state, o.booked_on
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN outcome o ON o.district = $1 AND o.reference BETWEEN r.first AND r.last
ORDER BY o.reference, o.outcome_no
