-- One replica follows the gateway's outcomes; another takes over only from a dead one.
INSERT INTO outcome_cursor AS c (gateway, fence, worker) VALUES ($1::text, 1, $2::text)
ON CONFLICT (gateway) DO UPDATE SET fence = c.fence + 1, worker = $2::text
WHERE c.worker IN ('', $2::text) OR c.worker = ANY ($3::text[])
   OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = c.worker)
RETURNING applied, fence
