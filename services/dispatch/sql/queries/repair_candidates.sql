-- Items that may go out again: an open exception without a way (4), or a last attempt that failed (2) or came back (4), and no
-- repair chunk that waits, nor an order to take the money back. Named items with what is against them; or every one of the
-- batch that has nothing against it, found by the outcomes and exceptions there are and not by looking at each item.
WITH wanted AS MATERIALIZED (
  SELECT unnest($5::bigint[]) AS item_id
  UNION
  SELECT x.item_id FROM exception x
  WHERE $5::bigint[] IS NULL AND x.district = $1::integer AND x.batch_id = $2::bigint AND x.bucket = 4 AND NOT x.resolved
  UNION
  SELECT p.reference / 100 FROM outcome p
  WHERE $5::bigint[] IS NULL AND p.district = $1::integer AND p.state IN (2, 4)
    AND p.reference BETWEEN $3::bigint * 100 AND $4::bigint * 100 + 99)
SELECT i.item_id, i.amount_fen, coalesce(e.bucket, 0)::smallint, coalesce(o.state, 0)::smallint,
       coalesce(a.reference, 0)::bigint, CASE WHEN s.refused = '' THEN s.agreement_no ELSE '' END, s.sent_on, w.waits
FROM wanted
JOIN item i ON i.district = $1::integer AND i.item_id = wanted.item_id AND i.batch_id = $2::bigint
LEFT JOIN LATERAL (SELECT bucket FROM exception x WHERE x.district = $1::integer AND x.item_id = i.item_id AND NOT x.resolved
                   ORDER BY exception_no DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT reference, chunk, submission_no FROM attempt t
                   WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                   ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN submission s ON s.district = $1::integer AND s.batch_id = $2::bigint AND s.chunk = a.chunk
                      AND s.submission_no = a.submission_no
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM chunk c
                                   WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.repair
                                     AND c.stage IN (1, 2, 9) AND i.item_id = ANY (c.item_ids))
                        OR EXISTS (SELECT FROM recovery v WHERE v.district = $1::integer AND v.item_id = i.item_id
                                   AND v.state BETWEEN 2 AND 4 AND v.reference = 0) AS waits) w
WHERE $5::bigint[] IS NOT NULL
   OR (NOT w.waits AND a.reference % 100 IS DISTINCT FROM 99 AND (e.bucket = 4 OR (e.bucket IS NULL AND o.state IN (2, 4))))
ORDER BY i.item_id LIMIT $6::integer
