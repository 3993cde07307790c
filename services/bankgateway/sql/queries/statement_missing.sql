-- Payments (state 1) or returns (state 4) reported as booked on the day without a line of their amount on any statement up to
-- now, behind a reference. Only asked where book_day says so.
SELECT o.reference, o.amount_fen
FROM (SELECT s.district, s.item_references FROM file f JOIN submission s ON s.file_id = f.file_id
      WHERE f.agreement_no = $1 AND f.sent_on <= $2 AND s.withheld = 0
      UNION ALL
      SELECT district, item_references FROM submission WHERE agreement_no = $1 AND withheld > 0) AS s
CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
JOIN outcome o ON o.district = s.district AND o.reference = r.reference AND o.state = $4 AND o.booked_on = $2
WHERE r.reference > $5
  AND NOT EXISTS (SELECT FROM statement_line l
                  WHERE l.district = $3 AND l.reference = r.reference AND l.debit = ($4 = 1)
                    AND l.amount_fen = o.amount_fen
                    AND NOT EXISTS (SELECT FROM line_apart a
                                    WHERE a.district = $3 AND a.reference = l.reference
                                      AND a.statement_id = l.statement_id AND a.line = l.line))
ORDER BY o.reference LIMIT 2000
