-- The same bytes are bound once.
INSERT INTO attachment (district, batch_id, sha256, kind, byte_size, uri, media_type, added_by)
VALUES ($1::integer, $2::bigint, $3::bytea, $4::text, $5::bigint, $6::text, $7::text, $8::text)
ON CONFLICT DO NOTHING
