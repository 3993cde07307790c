-- All movements of one step in one statement.
INSERT INTO movement (district, batch_id, movement_id, from_bucket, to_bucket, reason, items, amount_fen)
SELECT $1::integer, r.batch_id, r.movement_id, r.from_bucket, r.to_bucket, r.reason, r.items, r.amount_fen
FROM unnest($2::bigint[], $3::uuid[], $4::smallint[], $5::smallint[], $6::text[], $7::bigint[], $8::bigint[])
     AS r (batch_id, movement_id, from_bucket, to_bucket, reason, items, amount_fen)
