-- Rows of a chunk that are not sent, since a bank has them.
SELECT DISTINCT f.reference
FROM submission s CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
JOIN found_reference f ON f.district = s.district AND f.reference = r.reference
WHERE s.submission_id = $1
