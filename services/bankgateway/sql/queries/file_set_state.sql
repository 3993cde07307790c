-- Under the lock of file_lock.
UPDATE file SET state = $2, reason = $3, holder = '', changed_at = now() WHERE file_id = $1
