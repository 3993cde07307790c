-- Statement lines that a reference has had, over all statements, by ranges as known_instructions.
SELECT l.reference, l.debit
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN statement_line l ON l.district = $1 AND l.reference BETWEEN r.first AND r.last
