-- Ends a line's year, once; its CHECK wants nothing to be available any more.
UPDATE budget_line SET closed_on = $3::date
WHERE district = $1::integer AND line_id = $2::bigint AND closed_on IS NULL
