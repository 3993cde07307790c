-- Takes one chunk that nobody holds, or that a dead worker held, by raising its fence. Counted when it is taken, so that a chunk
-- that kills its worker is counted too.
-- no district: any replica does any chunk; the partial index chunk_to_do holds only what is to do.
UPDATE chunk AS c SET fence = c.fence + 1, worker = $1::text, taken = c.taken + 1
FROM (SELECT district, batch_id, chunk, fence FROM chunk
      WHERE stage IN (1, 2, 3) AND not_before <= now()
        AND (worker = '' OR worker = ANY ($2::text[])
             OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = chunk.worker))
      ORDER BY stage DESC, not_before LIMIT 1 FOR UPDATE SKIP LOCKED) AS seen
WHERE c.district = seen.district AND c.batch_id = seen.batch_id AND c.chunk = seen.chunk AND c.fence = seen.fence
RETURNING c.district, c.batch_id, c.chunk, c.repair, c.first_item, c.last_item, c.item_ids::text, c.stage, c.fence, c.taken
