-- What can come back of items: whose they are, what was paid, whether it is paid still, and what other recoveries took.
SELECT i.item_id, i.person_id, i.amount_fen, coalesce(o.state, 0)::smallint,
       coalesce(r.open, false), coalesce(r.received, 0)::bigint
FROM item i
LEFT JOIN LATERAL (SELECT reference FROM attempt t
                   WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                   ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT bool_or(v.state BETWEEN 1 AND 4) AS open, sum(v.received_fen) AS received
                   FROM recovery v WHERE v.district = $1::integer AND v.item_id = i.item_id AND v.reference = 0) r ON true
WHERE i.district = $1::integer AND i.batch_id = $2::bigint AND i.item_id = ANY ($3::bigint[])
ORDER BY i.item_id
