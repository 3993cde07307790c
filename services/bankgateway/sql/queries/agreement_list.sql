-- A page by number, of the caller's districts.
SELECT a.agreement_no, a.district, a.department_id, a.bank_code, a.valid_from, a.valid_to, a.credits_other_banks,
       a.with_identity, a.bank_notifies, a.refuses_duplicates, a.suspended, b.suspended
FROM agreement a JOIN bank b USING (bank_code)
WHERE a.agreement_no > $1 AND ($2 = 0 OR a.district = $2) AND ($3::boolean OR a.district = ANY ($4::integer[]))
ORDER BY a.agreement_no LIMIT $5
