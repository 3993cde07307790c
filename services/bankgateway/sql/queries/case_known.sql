-- Open cases of the references that a statement speaks of: a line can be what one of them waits for.
SELECT case_id, agreement_no, kind, subject, reference, day, state, open_fen, book_fen, district
FROM reconciliation_case WHERE bank_code = $2 AND state <> 5 AND reference <> 0 AND reference = ANY ($1::bigint[])
ORDER BY case_id
