-- What items were paid until now: the payment, less what was taken back, with what other batches of missed amounts added.
SELECT i.item_id, i.person_id, i.payee_id, i.village, i.amount_fen, i.masked_name, coalesce(o.state, 0)::smallint,
       EXISTS (SELECT FROM exception e WHERE e.district = $1::integer AND e.item_id = i.item_id AND NOT e.resolved
               AND e.reason = 'ABANDONED'),
       coalesce(r.open, false), coalesce(r.received, 0)::bigint, coalesce(u.added, 0)::bigint, coalesce(u.last, 0)::integer
FROM item i
LEFT JOIN LATERAL (SELECT reference FROM attempt t
                   WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                   ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT bool_or(v.state BETWEEN 1 AND 4) AS open, sum(v.received_fen) AS received
                   FROM recovery v WHERE v.district = $1::integer AND v.item_id = i.item_id AND v.reference = 0) r ON true
LEFT JOIN LATERAL (SELECT sum(t.amount_fen) FILTER (WHERE b.state <> 11) AS added, max(t.ordinal) AS last
                   FROM top_up t JOIN batch b ON b.district = $1::integer AND b.batch_id = t.batch_id
                   WHERE t.district = $1::integer AND t.of_item = i.item_id) u ON true
WHERE i.district = $1::integer AND i.batch_id = $2::bigint AND i.item_id = ANY ($3::bigint[])
ORDER BY i.item_id
