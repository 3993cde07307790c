-- A worker that stops in order leaves, so that nobody waits for it.
DELETE FROM worker_heartbeat WHERE worker = $1
