-- The hold of one item ends.
UPDATE exception SET resolved = true
WHERE district = $1::integer AND item_id = $2::bigint AND bucket = 2 AND NOT resolved
