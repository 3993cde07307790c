-- The items that a chunk's step is about: its range, or a repair chunk's list, without those an open exception keeps.
SELECT i.item_id, i.person_id, i.payee_id, i.village, i.amount_fen, i.masked_name
FROM item i
WHERE i.district = $1::integer AND i.batch_id = $2::bigint
  AND i.item_id BETWEEN $3::bigint AND $4::bigint
  AND ($5::bigint[] IS NULL OR i.item_id = ANY ($5::bigint[]))
  AND NOT EXISTS (SELECT FROM exception e
                  WHERE e.district = i.district AND e.item_id = i.item_id AND NOT e.resolved)
ORDER BY i.item_id
