-- What was done under this id.
SELECT content_hash FROM request WHERE request_id = $1
