-- Adds to (or with a negative amount takes from) what a line has available; its CHECK refuses to go below zero.
UPDATE budget_line SET available_fen = available_fen + $3::bigint
WHERE district = $1::integer AND line_id = $2::bigint
RETURNING available_fen
