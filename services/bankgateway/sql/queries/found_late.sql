-- A chunk of a bank with withheld rows, found some days ago and not asked about today, and which of them nothing final is known of: a
-- row with none where all have their end, after which it is looked at no more.
SELECT s.submission_id, r.reference
FROM (SELECT submission_id, district, item_references FROM submission
      WHERE withheld > 0 AND asked_on IS DISTINCT FROM 'infinity' AND bank_code = $1 AND looked_up_on <= $2
        AND (asked_on IS NULL OR asked_on < $3)
      ORDER BY submission_id LIMIT 1) AS s
LEFT JOIN LATERAL (
  SELECT u.reference FROM unnest(s.item_references) AS u (reference)
  WHERE EXISTS (SELECT FROM found_reference f WHERE f.district = s.district AND f.reference = u.reference)
    AND NOT EXISTS (SELECT FROM outcome o WHERE o.district = s.district AND o.reference = u.reference AND o.state IN (1, 2, 4))
) AS r ON true
