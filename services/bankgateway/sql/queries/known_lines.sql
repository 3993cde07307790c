-- Lines under a reference, over all statements, with their amount: those of its payment (or return), where that must be ours,
-- and those apart; and, no lines and without an amount, what two persons decided to be its line: of another amount (decisions 1
-- and 3), or a reversal that came before the return was told (decision 9). By ranges as known_instructions; the reader leaves out
-- what lies between.
SELECT l.reference, l.debit, l.amount_fen, true AS is_line,
       EXISTS (SELECT FROM line_apart a
               WHERE a.district = $1 AND a.reference = l.reference AND a.statement_id = l.statement_id AND a.line = l.line) AS apart
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN statement_line l ON l.district = $1 AND l.reference BETWEEN r.first AND r.last
UNION ALL
SELECT c.reference, e.decision = 1, NULL, false, false
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN reconciliation_case c ON c.reference <> 0 AND c.reference BETWEEN r.first AND r.last
JOIN case_event e ON e.case_id = c.case_id AND e.what = 'decided'
WHERE c.kind = 'AMOUNT_DIFFERS' AND e.decision IN (1, 3)
   OR c.kind = 'REVERSAL_WITHOUT_PAYMENT' AND e.decision = 9
      AND EXISTS (SELECT FROM reconciliation_case m
                  WHERE m.case_id = c.matched_case AND m.reference = c.reference AND m.kind = 'RETURN_LINE_MISSING')
