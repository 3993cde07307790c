-- One receipt, without a lock: passing down takes it by a condition of its own.
SELECT district, receipt_id, from_level, document, policy_id, year, source, amount_fen, passed_fen, received_on, due_on, cancelled_on
FROM fund_receipt WHERE district = $1::integer AND receipt_id = $2::bigint
