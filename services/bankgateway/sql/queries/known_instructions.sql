-- What we know of the references that a bank speaks of, one district at a time. References of one file are neighbours, so they
-- are read by ranges; the reader leaves out what lies between.
SELECT i.reference, i.amount_fen, i.last_four, i.submission_id
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN instruction i ON i.district = $1 AND i.reference BETWEEN r.first AND r.last
