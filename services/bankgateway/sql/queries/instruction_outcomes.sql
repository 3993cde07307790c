-- All outcomes of one reference.
SELECT outcome_no, state, coalesce(reason, ''), booked_on, amount_fen
FROM outcome WHERE district = $1 AND reference = $2 ORDER BY outcome_no
