-- One chunk's range of items.
SELECT first_item, last_item FROM chunk WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer
