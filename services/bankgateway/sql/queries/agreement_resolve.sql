-- All agreements that could pay for a department, its own before the district's; the reader finds the usable ones.
SELECT a.agreement_no, a.district, a.department_id, a.bank_code, a.valid_from, a.valid_to, a.credits_other_banks,
       a.with_identity, a.bank_notifies, a.refuses_duplicates, a.suspended, b.suspended
FROM agreement a JOIN bank b USING (bank_code)
WHERE a.district = $1 AND a.department_id IN ('', $2)
ORDER BY (a.department_id = ''), a.agreement_no
