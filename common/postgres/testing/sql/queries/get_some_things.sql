-- A lone array as a set.
SELECT id FROM thing WHERE district = $1 AND id = ANY($2::bigint[]) ORDER BY id
