-- Takes one chunk that nobody holds, that a dead worker held, or that this very worker lost sight of (its answer to an earlier
-- taking, or to giving it back, never came), by raising its fence. Counted when it is taken, so that a chunk that kills its
-- worker is counted too. A holder is `worker/slot`. A delay is never long: one that ends far in the future was written before
-- the clock was set back.
-- no district: any replica does any chunk; the partial index chunk_to_do holds only what is to do.
WITH seen AS MATERIALIZED (
  SELECT district, batch_id, chunk, fence, why FROM chunk
  WHERE stage IN (1, 2, 3) AND (not_before <= now() OR not_before > now() + interval '15 minutes')
    AND (worker IN ('', $1::text) OR split_part(worker, '/', 1) = ANY ($2::text[])
         OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = split_part(chunk.worker, '/', 1)))
  ORDER BY stage DESC, not_before LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE chunk AS c SET fence = c.fence + 1, worker = $1::text, taken = c.taken + 1, why = ''
FROM seen
WHERE c.district = seen.district AND c.batch_id = seen.batch_id AND c.chunk = seen.chunk AND c.fence = seen.fence
RETURNING c.district, c.batch_id, c.chunk, c.repair, c.first_item, c.last_item, c.item_ids::text, c.stage, c.fence, c.taken,
          seen.why
