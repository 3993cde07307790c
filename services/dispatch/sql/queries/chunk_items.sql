-- The items that a chunk's step is about: its range or list, without those an open exception keeps. An item that a repair chunk
-- has is that chunk's alone, whatever became of its exception meanwhile: it must never go out with two chunks.
SELECT i.item_id, i.person_id, i.payee_id, i.village, i.amount_fen, i.masked_name
FROM item i
WHERE i.district = $1::integer AND i.batch_id = $2::bigint
  AND i.item_id BETWEEN $3::bigint AND $4::bigint
  AND ($5::bigint[] IS NULL OR i.item_id = ANY ($5::bigint[]))
  AND NOT EXISTS (SELECT FROM exception e
                  WHERE e.district = $1::integer AND e.item_id = i.item_id AND NOT e.resolved
                    AND e.item_id BETWEEN $3::bigint AND $4::bigint)
  AND NOT EXISTS (SELECT FROM (SELECT unnest(r.item_ids) AS item_id FROM chunk r
                               WHERE r.district = $1::integer AND r.batch_id = $2::bigint AND r.repair
                                 AND NOT $6::boolean AND r.first_item <= $4::bigint AND r.last_item >= $3::bigint) repaired
                  WHERE repaired.item_id = i.item_id)
ORDER BY i.item_id
