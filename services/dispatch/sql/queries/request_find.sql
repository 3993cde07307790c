-- The first answer, with what it was asked for. no district: a request id belongs to its organisation.
SELECT method, content_hash, answer FROM request WHERE organisation = $1::text AND request_id = $2::text
