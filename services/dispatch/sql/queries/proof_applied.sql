-- The newest applied chunk that holds an item's reference; the chunks are few, each an array.
SELECT number, audit_id FROM applied_chunk
WHERE district = $1::integer AND item_references && ARRAY(SELECT $2::bigint * 100 + n FROM generate_series(1, 99) n)
  AND audit_id IS NOT NULL
ORDER BY number DESC LIMIT 1
