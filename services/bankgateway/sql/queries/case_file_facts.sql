-- When a stopped file was sent, and whether the bank has booked nothing of it: no payment, no line.
SELECT f.state, coalesce(f.sent_on, f.business_date),
       NOT EXISTS (SELECT FROM submission s CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
                   JOIN outcome o ON o.district = s.district AND o.reference = r.reference AND o.state IN (1, 4)
                   WHERE s.file_id = f.file_id)
   AND NOT EXISTS (SELECT FROM submission s CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
                   JOIN statement_line l ON l.district = s.district AND l.reference = r.reference
                   WHERE s.file_id = f.file_id)
FROM file f WHERE f.file_id = $1
