-- The next chunks by number, and where their references lie.
SELECT number, district, cardinality(item_references), l.least, l.most
FROM outcome_chunk, LATERAL (SELECT min(r), max(r) FROM unnest(item_references) AS r) AS l (least, most)
WHERE number > $1 ORDER BY number LIMIT $2
