-- The items of one uploaded chunk; they are written once.
SELECT i.item_id, i.item_id - b.first_item + 1, i.person_id, i.payee_id, i.village, i.amount_fen, i.masked_name, t.of_item
FROM upload_chunk u
JOIN batch b ON b.district = u.district AND b.batch_id = u.batch_id
JOIN item i ON i.district = $1::integer AND i.item_id BETWEEN u.first_item AND u.last_item AND i.batch_id = $2::bigint
           AND i.chunk = u.chunk
LEFT JOIN top_up t ON t.district = $1::integer AND t.item_id = i.item_id
WHERE u.district = $1::integer AND u.batch_id = $2::bigint AND u.chunk = $3::integer
ORDER BY i.item_id
