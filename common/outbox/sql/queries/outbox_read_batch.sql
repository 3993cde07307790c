-- The next ones in order; the caller stops where its limit of bytes is reached.
SELECT number, body FROM outbox_number WHERE producer = $1 AND number >= $2 ORDER BY number LIMIT $3
