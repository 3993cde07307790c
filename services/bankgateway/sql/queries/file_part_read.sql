-- One part at a time.
SELECT bytes FROM file_part WHERE file_id = $1 AND part = $2
