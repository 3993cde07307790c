-- The first answer to a chunk that comes again.
SELECT content_hash, row_count FROM submission WHERE request_id = $1
