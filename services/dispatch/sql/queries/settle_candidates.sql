-- Batches that are being paid and have no chunk left to do; their sums decide.
-- no district: a sweep over the few batches that are being paid, by any replica.
SELECT b.district, b.batch_id FROM batch b
WHERE b.state = 7
  AND NOT EXISTS (SELECT FROM chunk c WHERE c.district = b.district AND c.batch_id = b.batch_id AND c.stage IN (0, 1, 2, 3, 9))
ORDER BY b.district, b.batch_id LIMIT 100
