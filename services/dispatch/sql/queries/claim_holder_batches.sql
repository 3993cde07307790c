-- Which batch an item is of, for the detail of a refusal; the district comes from the item id itself.
SELECT r.item_id, i.batch_id
FROM unnest($1::integer[], $2::bigint[]) AS r (district, item_id)
JOIN item i ON i.district = r.district AND i.item_id = r.item_id
