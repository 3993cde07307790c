-- Reserves from one line, or takes nothing: no row comes back where the line does not suffice or is closed.
UPDATE budget_line SET available_fen = available_fen - $3::bigint
WHERE district = $1::integer AND line_id = $2::bigint AND available_fen >= $3::bigint AND closed_on IS NULL
RETURNING available_fen
