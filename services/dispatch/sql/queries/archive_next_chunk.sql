-- The next chunk of work, up to where the package ends, with what of it the gateway holds.
SELECT c.chunk, coalesce(array_agg(s.request_id ORDER BY s.submission_no) FILTER (WHERE s.refused = ''), '{}')::text
FROM chunk c
LEFT JOIN submission s ON s.district = c.district AND s.batch_id = c.batch_id AND s.chunk = c.chunk
WHERE c.district = $1::integer AND c.batch_id = $2::bigint
  AND c.chunk = (SELECT min(n.chunk) FROM chunk n
                 WHERE n.district = $1::integer AND n.batch_id = $2::bigint AND n.chunk > $3::integer
                   AND n.chunk <= $4::integer)
GROUP BY c.chunk
