-- The newest exception of an item that is not resolved.
SELECT bucket, reason FROM exception
WHERE district = $1::integer AND item_id = $2::bigint AND NOT resolved ORDER BY exception_no DESC LIMIT 1
