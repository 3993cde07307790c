-- The ordinal keeps the order that the caller's dates gave.
INSERT INTO rollout_stage (ordinal, from_date, districts, fields, basis) VALUES ($1, $2, string_to_array($3, ',')::integer[], string_to_array($4, ','), $5)
