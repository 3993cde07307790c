-- Encrypted under our own key, bound to file and part.
INSERT INTO file_part (file_id, part, bytes) VALUES ($1, $2, $3)
