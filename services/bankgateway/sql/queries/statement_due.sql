-- The next day to reconcile of each agreement of a bank: days are done one after the other, up to yesterday.
SELECT agreement_no, district, reconciled_through + 1
FROM agreement
WHERE bank_code = $1 AND reconciled_through IS NOT NULL AND reconciled_through + 1 < $2
ORDER BY reconciled_through, agreement_no LIMIT 200
