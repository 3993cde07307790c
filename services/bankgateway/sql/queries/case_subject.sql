-- The open case of a file or a day.
SELECT case_id, agreement_no, kind, subject, reference, day, state, open_fen, book_fen, district
FROM reconciliation_case WHERE bank_code = $1 AND agreement_no = $2 AND kind = $3 AND subject = $4 AND state <> 5
