-- The key refuses the loser of two that send one request at the same moment.
INSERT INTO merge_request (request_id, content_mac, kept_person_id, merged_person_id, recorded_at, actor)
VALUES ($1, $2, $3, $4, $5, $6);
