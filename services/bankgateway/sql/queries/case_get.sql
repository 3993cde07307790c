-- One case; scope is in the statement, so that what is foreign does not exist.
SELECT case_id, agreement_no, bank_code, district, kind, subject, reference, day, state, priority, owner, opened_on, due_on,
       closed_on, occurrences, statement_fen, book_fen, open_fen, decision, reason, evidence, coalesce(matched_case, 0),
       proposed_by, decided_by, events
FROM reconciliation_case
WHERE case_id = $1 AND ($2::boolean OR district = ANY ($3::integer[]))
