-- Deletes a row that stood still for very long, unless it has moved since.
DELETE FROM worker_heartbeat WHERE worker = $1 AND beat = $2
