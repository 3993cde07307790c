-- The cases about payments of one submission, found by their reference; the columns are those of case_get.
SELECT c.case_id, c.agreement_no, c.bank_code, c.district, c.kind, c.subject, c.reference, c.day, c.state, c.priority, c.owner,
       c.opened_on, c.due_on, c.closed_on, c.occurrences, c.statement_fen, c.book_fen, c.open_fen, c.decision, c.reason,
       c.evidence, coalesce(c.matched_case, 0), c.proposed_by, c.decided_by
FROM submission s, unnest(s.item_references) AS r (reference)
JOIN reconciliation_case c ON c.reference = r.reference AND c.reference <> 0
WHERE s.request_id = $2::text AND s.district = $1::integer
ORDER BY c.case_id
