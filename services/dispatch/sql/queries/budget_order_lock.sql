-- Of two decisions at one moment exactly one finds the order undecided.
SELECT district, order_id, kind, line_id, coalesce(to_line_id, 0), amount_fen, document, reason, state, requested_by,
       requested_on, decided_by, decided_on, decision
FROM budget_order WHERE district = $1::integer AND order_id = $2::bigint FOR UPDATE
