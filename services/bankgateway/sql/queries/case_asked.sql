-- The bank has been asked about these today; which cases wait for the answer.
UPDATE reconciliation_case SET asked_on = $2::date
WHERE bank_code = $1 AND state = 4 AND decision = 7 AND reference = ANY ($3::bigint[])
RETURNING case_id, agreement_no, kind, subject, reference, day, state, open_fen, book_fen, district
