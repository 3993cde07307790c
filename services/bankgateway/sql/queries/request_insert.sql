-- The id of a mutation is taken once; the second comer compares contents.
INSERT INTO request (request_id, content_hash) VALUES ($1, $2) ON CONFLICT (request_id) DO NOTHING
