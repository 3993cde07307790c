-- Chunks that wait for a person, out of the partial index that holds nothing else; with whether their payments are committed.
SELECT c.batch_id, c.chunk, c.repair, c.why,
       EXISTS (SELECT FROM submission s
               WHERE s.district = c.district AND s.batch_id = c.batch_id AND s.chunk = c.chunk)
FROM chunk c JOIN batch b ON b.district = c.district AND b.batch_id = c.batch_id
WHERE c.stage = 9 AND ($1::boolean OR c.district = ANY ($2::integer[])) AND ($3::boolean OR b.field = ANY ($4::text[]))
  AND ($5::integer = 0 OR c.district = $5::integer) AND ($6::bigint = 0 OR c.batch_id = $6::bigint)
  AND (c.batch_id, c.chunk) > ($7::bigint, $8::integer)
ORDER BY c.batch_id, c.chunk LIMIT $9::integer
