-- A stretch of items with what became of each: an exception that is open speaks first, then the newest outcome of the last
-- attempt, then the batch. One that was sent and given up (bucket 11) stays what its attempt is, as it is counted, with the
-- exception's reason. Bounded by the stretch, so that a rare state never costs a whole batch in one statement.
SELECT s.item_id, s.masked_name, s.village, s.amount_fen, s.person_id, s.state, s.reason, s.reference
FROM (
  SELECT i.item_id, i.masked_name, i.village, i.amount_fen, i.person_id, coalesce(a.reference, 0) AS reference,
         CASE WHEN $6::smallint = 11 THEN 'cancelled'
              WHEN e.bucket = 2 THEN 'held' WHEN e.bucket = 3 THEN 'stopped' WHEN e.bucket = 4 THEN 'unroutable'
              WHEN a.reference IS NOT NULL THEN
                CASE coalesce(o.state, 0) WHEN 0 THEN 'in_transit' WHEN 1 THEN 'paid' WHEN 2 THEN 'failed'
                                          WHEN 3 THEN 'unknown' ELSE 'returned' END
              WHEN $6::smallint = 1 THEN 'collected' ELSE 'waiting' END AS state,
         CASE WHEN $6::smallint = 11 THEN 'BATCH_CANCELLED' WHEN e.bucket IS NOT NULL THEN e.reason
              ELSE coalesce(o.reason, '') END AS reason
  FROM (SELECT * FROM item
        WHERE district = $1::integer AND item_id > $3::bigint AND item_id <= $4::bigint AND batch_id = $2::bigint
        ORDER BY item_id) i
  LEFT JOIN LATERAL (SELECT bucket, reason FROM exception x
                     WHERE x.district = $1::integer AND x.item_id = i.item_id AND NOT x.resolved
                     ORDER BY exception_no DESC LIMIT 1) e ON true
  LEFT JOIN LATERAL (SELECT reference FROM attempt t
                     WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                     ORDER BY reference DESC LIMIT 1) a ON true
  LEFT JOIN LATERAL (SELECT state, reason FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                     ORDER BY outcome_no DESC LIMIT 1) o ON true) s
WHERE $7::text = '' OR s.state = $7::text
ORDER BY s.item_id LIMIT $5::integer
