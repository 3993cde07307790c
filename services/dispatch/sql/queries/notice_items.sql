-- A stretch of the list in the order of items, so that the root is built in bounded memory.
SELECT item_id, masked_name, village, amount_fen FROM item
WHERE district = $1::integer AND item_id > $3::bigint AND item_id <= $4::bigint AND batch_id = $2::bigint
ORDER BY item_id LIMIT $5::integer
