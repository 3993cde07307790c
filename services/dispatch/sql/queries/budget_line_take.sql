-- Reserves from one line, or takes nothing: no row comes back where the line does not suffice.
UPDATE budget_line SET available_fen = available_fen - $3::bigint
WHERE district = $1::integer AND line_id = $2::bigint AND available_fen >= $3::bigint
RETURNING available_fen
