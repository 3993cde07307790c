-- Whoever inserts works; a second one with the same id waits here for the first one's commit.
INSERT INTO request (organisation, request_id, method, sha256) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation, request_id) DO NOTHING
