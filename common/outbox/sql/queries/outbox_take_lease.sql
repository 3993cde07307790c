-- Takes the lease when it is ours, nobody's or a dead one's, and fences off whoever had it. One that has
-- stopped in order, or has been dead for very long, has no heartbeat row.
UPDATE outbox_relay AS r SET holder = $2, fence = r.fence + 1
WHERE r.producer = $1
  AND (r.holder IN ('', $2) OR r.holder = ANY($3::text[])
       OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = r.holder))
RETURNING r.fence
