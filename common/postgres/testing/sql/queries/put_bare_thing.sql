-- The shortest row.
INSERT INTO thing (district, id, amount_fen) VALUES ($1, $2, $3)
