-- The last attempt that each item of a repair chunk had, and what became of it; references begin with the item.
SELECT r.item_id, (a.reference % 100)::bigint, coalesce(o.state, 0)::smallint
FROM unnest($2::bigint[]) AS r (item_id)
JOIN LATERAL (SELECT reference FROM attempt t
              WHERE t.district = $1::integer AND t.reference BETWEEN r.item_id * 100 AND r.item_id * 100 + 99
              ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
