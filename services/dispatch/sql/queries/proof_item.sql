-- Which batch an item belongs to; the batch's scope decides whether the caller may see it.
SELECT batch_id FROM item WHERE district = $1::integer AND item_id = $2::bigint
