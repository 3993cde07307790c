-- Orders in the order of their key; of one line those that it gives to or gets from.
SELECT district, order_id, kind, line_id, coalesce(to_line_id, 0), amount_fen, document, reason, state, requested_by,
       requested_on, decided_by, decided_on, decision
FROM budget_order
WHERE ($1::text = '*' OR district = ANY (nullif($1::text, '*')::integer[]))
  AND ($2::bigint = 0 OR line_id = $2::bigint OR to_line_id = $2::bigint)
  AND ($3::smallint = 0 OR state = $3::smallint)
  AND (district, order_id) > ($4::integer, $5::bigint)
ORDER BY district, order_id LIMIT $6::integer
