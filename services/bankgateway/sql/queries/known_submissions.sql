-- What is the same for all rows of a chunk.
SELECT s.submission_id, s.agreement_no, s.bank_code, s.summary, coalesce(s.file_id, ''), a.bank_notifies,
       a.reconciled_through
FROM submission s JOIN agreement a USING (agreement_no)
WHERE s.submission_id = ANY ($1::bigint[])
