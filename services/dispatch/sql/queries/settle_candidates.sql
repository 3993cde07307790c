-- Batches that are being paid, have no chunk left to do, and in which no item waits or is on its way. Their sums are read again
-- under the batch's lock.
-- no district: a sweep over the few batches that are being paid, by any replica.
SELECT b.district, b.batch_id FROM batch b
WHERE b.state = 7
  AND NOT EXISTS (SELECT FROM chunk c WHERE c.district = b.district AND c.batch_id = b.batch_id AND c.stage IN (0, 1, 2, 3, 9))
  AND (SELECT coalesce(sum(CASE WHEN m.to_bucket IN (1, 5) THEN m.items ELSE 0 END)
                     - sum(CASE WHEN m.from_bucket IN (1, 5) THEN m.items ELSE 0 END), 0)
       FROM movement m WHERE m.district = b.district AND m.batch_id = b.batch_id) = 0
ORDER BY b.district, b.batch_id LIMIT 100
