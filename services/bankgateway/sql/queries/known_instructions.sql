-- What we know of the references that a bank speaks of, one district at a time.
SELECT reference, amount_fen, last_four, submission_id
FROM instruction WHERE district = $1 AND reference = ANY ($2::bigint[])
