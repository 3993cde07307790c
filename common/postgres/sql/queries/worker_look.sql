-- What the other workers' counters are now.
SELECT worker, beat FROM worker_heartbeat WHERE worker <> $1
