-- All refused rows of a chunk in one statement.
INSERT INTO rejection (district, batch_id, row_number, chunk, ordinal, reason, detail, amount_fen)
SELECT $1::integer, $2::bigint, r.row_number, $3::integer, 0, r.reason, r.detail, r.amount_fen
FROM unnest($4::bigint[], $5::text[], $6::text[], $7::bigint[]) AS r (row_number, reason, detail, amount_fen)
