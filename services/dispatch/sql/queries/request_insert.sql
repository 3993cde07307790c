-- Kept in the transaction that did the work. no district: a request id belongs to its organisation.
INSERT INTO request (organisation, request_id, method, content_hash, answer)
VALUES ($1::text, $2::text, $3::text, $4::bytea, $5::bytea)
