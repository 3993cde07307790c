-- The attempts that a repair chunk's items had; references begin with the item.
SELECT r.item_id, coalesce(max(a.reference) % 100, 0)::bigint
FROM unnest($2::bigint[]) AS r (item_id)
LEFT JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN r.item_id * 100 AND r.item_id * 100 + 99
GROUP BY r.item_id
