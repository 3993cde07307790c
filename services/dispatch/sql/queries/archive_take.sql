-- Takes one package to make that nobody holds, that a dead worker held, or that this very worker lost sight of, by raising its
-- fence; as chunk_take. One whose batch was opened again waits until it is closed.
-- no district: any replica makes any package; the table holds only what is to be made.
WITH seen AS MATERIALIZED (
  SELECT w.district, w.batch_id, w.fence FROM archive_work w
  WHERE (w.not_before <= now() OR w.not_before > now() + interval '1 hour')
    AND (w.worker IN ('', $1::text) OR split_part(w.worker, '/', 1) = ANY ($2::text[])
         OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = split_part(w.worker, '/', 1)))
    AND EXISTS (SELECT FROM batch b WHERE b.district = w.district AND b.batch_id = w.batch_id AND b.state = 9)
  ORDER BY w.not_before LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
UPDATE archive_work AS w SET fence = w.fence + 1, worker = $1::text, taken = w.taken + 1
FROM seen
WHERE w.district = seen.district AND w.batch_id = seen.batch_id AND w.fence = seen.fence
RETURNING w.district, w.batch_id, w.run, w.fence, w.taken, w.package_no, w.step, w.after_id, w.after_text, w.page,
          w.chunks_after, w.chunks_through, w.outcomes_after, w.outcomes_through
