-- Commits with the deed that it tells of; it carries no order, so appending waits for nobody.
INSERT INTO outbox (district, outbox_id, body) VALUES ($1, $2::uuid, $3)
