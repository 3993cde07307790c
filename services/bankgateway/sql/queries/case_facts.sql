-- What a decision rests on: the instruction under the case's agreement, its last outcome, later attempts at its item, the open
-- case that misses its line, and through which day the agreement (or, where none is known, the bank) is reconciled.
SELECT i.reference IS NOT NULL,
       coalesce((SELECT o.state FROM outcome o WHERE o.district = $2 AND o.reference = c.reference
                 ORDER BY o.outcome_no DESC LIMIT 1), 0),
       EXISTS (SELECT FROM instruction t
               WHERE t.district = $2 AND t.reference > c.reference AND t.reference <= c.reference / 100 * 100 + 99),
       EXISTS (SELECT FROM reconciliation_case m
               WHERE m.bank_code = c.bank_code AND m.agreement_no = c.agreement_no AND m.kind = 'LINE_MISSING'
                 AND m.subject = c.subject AND m.state <> 5),
       (SELECT min(a.reconciled_through) FROM agreement a
        WHERE a.bank_code = c.bank_code AND (c.agreement_no = '' OR a.agreement_no = c.agreement_no))
FROM reconciliation_case c
LEFT JOIN (instruction i JOIN submission s USING (submission_id))
       ON i.district = $2 AND i.reference = c.reference AND s.agreement_no = c.agreement_no
WHERE c.case_id = $1
