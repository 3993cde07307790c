-- Rows withheld of a chunk of a bank that nothing final is known of some days after they were found, not asked about today: of one
-- chunk. Nothing where there was never a restore.
SELECT s.submission_id, r.reference
FROM (SELECT w.submission_id, w.district, w.item_references FROM submission w
      WHERE w.withheld > 0 AND w.bank_code = $1 AND w.looked_up_on <= $2 AND (w.asked_on IS NULL OR w.asked_on < $3)
        AND EXISTS (SELECT FROM unnest(w.item_references) AS u (reference)
                    JOIN found_reference f ON f.district = w.district AND f.reference = u.reference
                    WHERE NOT EXISTS (SELECT FROM outcome o WHERE o.district = w.district AND o.reference = u.reference
                                                              AND o.state IN (1, 2, 4)))
      ORDER BY w.submission_id LIMIT 1) AS s
CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
WHERE EXISTS (SELECT FROM found_reference f WHERE f.district = s.district AND f.reference = r.reference)
  AND NOT EXISTS (SELECT FROM outcome o WHERE o.district = s.district AND o.reference = r.reference AND o.state IN (1, 2, 4))
