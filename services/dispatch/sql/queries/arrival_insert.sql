-- Money given back, under its receipt; no row comes back for a receipt that is known, here or as one for a recovery.
INSERT INTO arrival (district, arrival_id, receipt, amount_fen, arrived_on, note, state, recorded_by, recorded_on)
SELECT $1::integer, $2::bigint, $3::text, $4::bigint, $5::date, $6::text, 1, $7::text, $8::date
WHERE NOT EXISTS (SELECT FROM recovery_receipt r WHERE r.district = $1::integer AND r.receipt = $3::text)
ON CONFLICT DO NOTHING
RETURNING arrival_id
