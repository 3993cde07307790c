-- The attempts that a chunk of outcomes meets. References of one chunk are neighbours, so they are read by ranges; the reader
-- leaves out what lies between.
SELECT a.reference, a.batch_id, a.chunk, a.amount_fen
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN r.first AND r.last
