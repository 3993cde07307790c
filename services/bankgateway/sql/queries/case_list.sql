-- A page of cases, of the caller's districts; closed ones only where their state is asked for.
SELECT case_id, agreement_no, bank_code, district, kind, subject, reference, day, state, priority, owner, opened_on, due_on,
       closed_on, occurrences, statement_fen, book_fen, open_fen, decision, reason, evidence, coalesce(matched_case, 0),
       proposed_by, decided_by, events
FROM reconciliation_case
WHERE case_id > $1 AND ($2::boolean OR district = ANY ($3::integer[])) AND ($4 = 0 OR district = $4)
  AND ($5 = '' OR agreement_no = $5) AND (CASE WHEN $6::integer = 0 THEN state <> 5 ELSE state = $6::integer END)
  AND ($7 = '' OR kind = $7)
  AND (NOT $8::boolean OR (state <> 5 AND coalesce(due_on, opened_on + $10::integer) < $9::date))
ORDER BY case_id LIMIT $11
