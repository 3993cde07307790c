-- Lines that a reference's payment (or return) has had, over all statements, with their amount, which must be ours; and, without
-- one, what two persons decided to be its line (decisions 1 and 3).
SELECT l.reference, l.debit, l.amount_fen FROM statement_line l
WHERE l.district = $1 AND l.reference = ANY ($2::bigint[])
  AND NOT EXISTS (SELECT FROM line_apart a
                  WHERE a.district = l.district AND a.reference = l.reference AND a.statement_id = l.statement_id
                    AND a.line = l.line)
UNION ALL
SELECT c.reference, e.decision = 1, NULL
FROM reconciliation_case c JOIN case_event e ON e.case_id = c.case_id AND e.what = 'decided' AND e.decision IN (1, 3)
WHERE c.reference <> 0 AND c.reference = ANY ($2::bigint[]) AND c.kind = 'AMOUNT_DIFFERS'
