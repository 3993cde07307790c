-- The first answer. It is never NULL here: the row commits together with its answer.
SELECT sha256, answer FROM request WHERE organisation = $1 AND request_id = $2
