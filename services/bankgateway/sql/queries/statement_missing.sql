-- Payments (state 1) or returns (state 4) reported as booked on the day without a line on any statement up to now. Only
-- asked where book_day says so.
SELECT o.reference, o.amount_fen
FROM file f
JOIN submission s ON s.file_id = f.file_id
CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
JOIN outcome o ON o.district = s.district AND o.reference = r.reference AND o.state = $4 AND o.booked_on = $2
WHERE f.agreement_no = $1 AND f.sent_on <= $2
  AND NOT EXISTS (SELECT FROM statement_line l
                  WHERE l.district = $3 AND l.reference = r.reference AND l.debit = ($4 = 1))
ORDER BY o.reference LIMIT 5000
