-- The evidence bound to a batch by its hash, and who added it.
SELECT kind, sha256, byte_size, uri, media_type, added_by FROM attachment
WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY sha256
