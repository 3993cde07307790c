-- The chunks that a cancellation takes the claims of, in order.
SELECT chunk FROM upload_chunk WHERE district = $1::integer AND batch_id = $2::bigint AND accepted > 0 ORDER BY chunk
