-- Rows of a file behind a reference whose last outcome is not final. A whole file is looked at only when it is late.
SELECT r.reference
FROM submission s
CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
WHERE s.file_id = $1 AND r.reference > $2
  AND NOT EXISTS (SELECT FROM outcome o
                  WHERE o.district = s.district AND o.reference = r.reference AND o.state IN (1, 2, 4))
ORDER BY r.reference LIMIT $3
