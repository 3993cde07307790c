-- All references of a file, one a row; what was withheld of its chunks is not in it.
SELECT r.reference
FROM submission s CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
WHERE s.file_id = $1
  AND NOT EXISTS (SELECT FROM found_reference h WHERE h.district = s.district AND h.reference = r.reference)
