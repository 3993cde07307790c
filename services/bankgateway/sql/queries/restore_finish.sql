-- Once.
UPDATE restored SET finished_at = now() WHERE restore_id = $1 AND finished_at IS NULL
