-- The items that a chunk's step is about: its range or list, without those an open exception keeps. An item that a repair chunk
-- has is that chunk's alone, whatever became of its exception meanwhile: it must never go out with two chunks. NOT IN over keys that
-- are never NULL, since it is read once into a hash and not asked for each item.
SELECT i.item_id, i.person_id, i.payee_id, i.village, i.amount_fen, i.masked_name
FROM item i
WHERE i.district = $1::integer AND i.batch_id = $2::bigint
  AND i.item_id BETWEEN $3::bigint AND $4::bigint
  AND ($5::bigint[] IS NULL OR i.item_id = ANY ($5::bigint[]))
  AND i.item_id NOT IN (SELECT e.item_id FROM exception e
                        WHERE e.district = $1::integer AND e.item_id BETWEEN $3::bigint AND $4::bigint AND NOT e.resolved)
  AND i.item_id NOT IN (SELECT unnest(r.item_ids) FROM chunk r
                        WHERE r.district = $1::integer AND r.batch_id = $2::bigint AND r.repair
                          AND NOT $6::boolean AND r.first_item <= $4::bigint AND r.last_item >= $3::bigint)
ORDER BY i.item_id
