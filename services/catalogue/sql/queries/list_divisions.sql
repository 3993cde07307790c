-- A page by code; 0 stands for every district or level.
SELECT code, name, district, level, fictitious FROM division
WHERE code > $1 AND ($2::integer = 0 OR district = $2) AND ($3::smallint = 0 OR level = $3)
ORDER BY code LIMIT $4
