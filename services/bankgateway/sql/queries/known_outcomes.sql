-- All outcomes so far: nearly always none or one for each reference, so the reader keeps the last.
SELECT reference, outcome_no, state, booked_on
FROM outcome WHERE district = $1 AND reference = ANY ($2::bigint[]) ORDER BY reference, outcome_no
