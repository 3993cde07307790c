-- All references of a file, one a row.
SELECT r.reference
FROM submission s CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
WHERE s.file_id = $1
