-- The evidence bound to a batch.
SELECT kind, sha256, byte_size, uri, media_type FROM attachment
WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY sha256
