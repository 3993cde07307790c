-- The outcomes so far of a chunk's references, by ranges as outcome_targets: nearly always none, so the reader keeps the last
-- of each.
SELECT o.reference, o.outcome_no, o.state
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN outcome o ON o.district = $1::integer AND o.reference BETWEEN r.first AND r.last
ORDER BY o.reference, o.outcome_no
