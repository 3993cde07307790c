-- Everything of one batch that waits for somebody, behind a place: the batch itself (1), chunks (2), items (3), recoveries (4).
-- Items are found by the exceptions and outcomes there are, not by looking at each.
WITH found AS MATERIALIZED (
  SELECT x.item_id FROM exception x
  WHERE x.district = $1::integer AND x.batch_id = $2::bigint AND x.bucket IN (2, 4) AND NOT x.resolved
  UNION
  SELECT p.reference / 100 FROM outcome p
  WHERE p.district = $1::integer AND p.state IN (2, 3, 4) AND $5::smallint <= 3
    AND p.reference BETWEEN greatest($3::bigint, CASE WHEN $5::smallint = 3 THEN $6::bigint + 1 ELSE 0 END) * 100
                        AND $4::bigint * 100 + 99)
SELECT r.place, r.key, r.kind, r.item_id, r.amount_fen, r.reason, r.since_on, r.granted_until FROM (
  SELECT 1::smallint AS place, 0::bigint AS key, 2::smallint AS kind, 0::bigint AS item_id, 0::bigint AS amount_fen, b.reason,
         b.state_since_on AS since_on, NULL::date AS granted_until
  FROM batch b WHERE b.district = $1::integer AND b.batch_id = $2::bigint AND b.state = 10
  UNION ALL
  SELECT 2, c.chunk, 3, 0, 0, c.why, coalesce(c.aside_on, (c.not_before AT TIME ZONE 'Asia/Shanghai')::date), NULL
  FROM chunk c WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.stage = 9
  UNION ALL
  SELECT 3, i.item_id, CASE WHEN e.bucket = 2 THEN 4 WHEN e.bucket = 4 THEN 5 WHEN o.state = 2 THEN 6 WHEN o.state = 3 THEN 7
                            ELSE 8 END,
         i.item_id, i.amount_fen, coalesce(e.reason, o.reason),
         CASE WHEN e.bucket IS NULL THEN coalesce(u.applied_on, s.sent_on)
              ELSE coalesce(e.since_on, (e.at AT TIME ZONE 'Asia/Shanghai')::date) END, NULL
  FROM found
  JOIN item i ON i.district = $1::integer AND i.item_id = found.item_id AND i.batch_id = $2::bigint
  LEFT JOIN LATERAL (SELECT bucket, reason, since_on, at FROM exception x
                     WHERE x.district = $1::integer AND x.item_id = i.item_id AND NOT x.resolved
                     ORDER BY exception_no DESC LIMIT 1) e ON true
  LEFT JOIN LATERAL (SELECT reference, chunk, submission_no FROM attempt t
                     WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                     ORDER BY reference DESC LIMIT 1) a ON true
  LEFT JOIN submission s ON s.district = $1::integer AND s.batch_id = $2::bigint AND s.chunk = a.chunk
                        AND s.submission_no = a.submission_no
  LEFT JOIN LATERAL (SELECT state, reason, applied_in FROM outcome p
                     WHERE p.district = $1::integer AND p.reference = a.reference ORDER BY outcome_no DESC LIMIT 1) o ON true
  LEFT JOIN applied_chunk u ON u.number = o.applied_in
  WHERE e.bucket IN (2, 4)
     OR (e.bucket IS NULL AND o.state IN (2, 3, 4)
         AND NOT EXISTS (SELECT FROM chunk c WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.repair
                         AND c.stage IN (1, 2, 9) AND i.item_id = ANY (c.item_ids)))
  UNION ALL
  SELECT 4, v.recovery_id, 9, v.item_id, v.due_fen - v.received_fen,
         CASE v.state WHEN 1 THEN 'PROPOSED' WHEN 2 THEN 'ORDERED' WHEN 3 THEN 'NOTIFIED' ELSE 'WRITE_OFF_ASKED' END,
         v.state_since_on, CASE WHEN v.state = 3 THEN v.due_on END
  FROM recovery v WHERE v.district = $1::integer AND v.batch_id = $2::bigint AND v.state BETWEEN 1 AND 4) r
WHERE (r.place, r.key) > ($5::smallint, $6::bigint)
ORDER BY r.place, r.key LIMIT $7::integer
