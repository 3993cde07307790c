-- The unique index decides whether a document is recorded already; nothing comes back then.
INSERT INTO fund_receipt (district, receipt_id, from_level, document, policy_id, year, source, amount_fen, received_on, due_on)
VALUES ($1::integer, $2::bigint, $3::text, $4::text, $5::text, $6::integer, $7::text, $8::bigint, $9::date, $10::date)
ON CONFLICT DO NOTHING
RETURNING receipt_id
