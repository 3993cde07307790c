-- The key says that a bank's receipt counts once: no row comes back for one that is known.
INSERT INTO recovery_receipt (district, receipt, recovery_id, batch_id, item_id, amount_fen, received_on, recorded_by,
                              recorded_on)
VALUES ($1::integer, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::date, $8::text, $9::date)
ON CONFLICT DO NOTHING
RETURNING receipt
