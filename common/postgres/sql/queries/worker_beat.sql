-- One counter row for each worker, made at its first beat; others judge it by their own clocks.
INSERT INTO worker_heartbeat AS h (worker, beat) VALUES ($1, 1)
ON CONFLICT (worker) DO UPDATE SET beat = h.beat + 1
