-- The key of corrected batches says that a batch is corrected once.
INSERT INTO batch_origin (district, batch_id, kind, of_batch)
VALUES ($1::integer, $2::bigint, $3::smallint, $4::bigint)
