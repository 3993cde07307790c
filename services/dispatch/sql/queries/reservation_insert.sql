-- The primary key makes a second reservation of one batch impossible.
INSERT INTO reservation (district, batch_id, source_no, line_id, amount_fen)
SELECT $1::integer, $2::bigint, r.source_no, r.line_id, r.amount_fen
FROM unnest($3::integer[], $4::bigint[], $5::bigint[]) AS r (source_no, line_id, amount_fen)
