-- Items that may go out again: an open exception without a way (4), or a last attempt that failed (2) or came back (4) and no
-- repair chunk that waits. Named items, or every one of the batch.
SELECT i.item_id, i.amount_fen, coalesce(e.bucket, 0)::smallint, coalesce(o.state, 0)::smallint,
       coalesce(a.reference, 0)::bigint, CASE WHEN s.refused = '' THEN s.agreement_no ELSE '' END, s.sent_on,
       EXISTS (SELECT FROM chunk c WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.repair
               AND c.stage IN (1, 2, 9) AND i.item_id = ANY (c.item_ids)) AS waits,
       EXISTS (SELECT FROM exception x WHERE x.district = $1::integer AND x.item_id = i.item_id AND x.bucket = 11) AS abandoned
FROM item i
LEFT JOIN LATERAL (SELECT bucket FROM exception x WHERE x.district = $1::integer AND x.item_id = i.item_id AND NOT x.resolved
                   ORDER BY exception_no DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT reference, chunk, submission_no FROM attempt t
                   WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                   ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN submission s ON s.district = $1::integer AND s.batch_id = $2::bigint AND s.chunk = a.chunk
                      AND s.submission_no = a.submission_no
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
WHERE i.district = $1::integer AND i.batch_id = $2::bigint AND i.item_id BETWEEN $3::bigint AND $4::bigint
  AND ($5::bigint[] IS NULL OR i.item_id = ANY ($5::bigint[]))
  AND ($5::bigint[] IS NOT NULL OR e.bucket = 4 OR (e.bucket IS NULL AND o.state IN (2, 4)))
ORDER BY i.item_id LIMIT $6::integer
