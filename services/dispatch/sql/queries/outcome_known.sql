-- The outcomes so far of a chunk's references: nearly always none, so the reader keeps the last of each.
SELECT reference, outcome_no, state FROM outcome
WHERE district = $1::integer AND reference = ANY ($2::bigint[])
ORDER BY reference, outcome_no
