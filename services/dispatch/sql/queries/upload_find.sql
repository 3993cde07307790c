-- What the batch's state is under the lock, and what was answered if the chunk was taken before.
SELECT b.state, c.content_hash, c.accepted, c.accepted_fen, c.first_row, c.last_row
FROM batch b
LEFT JOIN upload_chunk c ON c.district = b.district AND c.batch_id = b.batch_id AND c.chunk = $3::integer
WHERE b.district = $1::integer AND b.batch_id = $2::bigint
