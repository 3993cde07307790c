-- Receipts in the order of their key; with a day, those alone whose time was over before it and of which something is left.
SELECT district, receipt_id, from_level, document, policy_id, year, source, amount_fen, passed_fen, received_on, due_on, cancelled_on
FROM fund_receipt
WHERE ($1::text = '*' OR district = ANY (nullif($1::text, '*')::integer[])) AND ($2::text = '' OR policy_id = $2::text)
  AND ($3::date IS NULL OR (due_on < $3::date AND passed_fen < amount_fen AND cancelled_on IS NULL))
  AND (district, receipt_id) > ($4::integer, $5::bigint)
ORDER BY district, receipt_id LIMIT $6::integer
