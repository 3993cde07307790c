-- The key refuses the loser of two that load one chunk at the same moment; it then reads the winner's answer.
INSERT INTO load_chunk (load_id, chunk, content_mac, answered_at, accepted, rejections)
VALUES ($1, $2, $3, $4, $5, $6);
