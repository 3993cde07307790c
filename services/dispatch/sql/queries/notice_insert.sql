-- The primary key makes a second notice of one batch impossible.
INSERT INTO notice (district, batch_id, from_date, to_date, root, lines, aggregate_only)
VALUES ($1::integer, $2::bigint, $3::date, $4::date, $5::bytea, $6::bigint, $7::boolean)
