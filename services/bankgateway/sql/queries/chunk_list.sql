-- The next chunks by number, without their outcomes.
SELECT number, district, item_references, outcome_nos FROM outcome_chunk
WHERE number > $1 ORDER BY number LIMIT $2
