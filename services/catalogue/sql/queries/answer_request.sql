-- In the transaction of the deed.
UPDATE request SET answer = $3 WHERE organisation = $1 AND request_id = $2
