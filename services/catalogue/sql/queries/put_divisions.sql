-- A whole call in one statement; in the order of the key, so that two loads cannot deadlock.
INSERT INTO division (code, name, district, level, fictitious)
SELECT t.code, t.name, t.district, t.level, t.fictitious
FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::smallint[], $5::boolean[])
  AS t (code, name, district, level, fictitious)
ORDER BY t.code
ON CONFLICT (code) DO UPDATE SET name = excluded.name, level = excluded.level, fictitious = excluded.fictitious
WHERE (division.name, division.level, division.fictitious)
  IS DISTINCT FROM (excluded.name, excluded.level, excluded.fictitious)
