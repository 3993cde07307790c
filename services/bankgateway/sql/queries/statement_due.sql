-- The next day to reconcile of each agreement of a bank: days are done one after the other, up to yesterday. None while
-- a restore is open: lines of payments that are not asked for again yet would be differences.
SELECT agreement_no, district, reconciled_through + 1
FROM agreement
WHERE bank_code = $1 AND reconciled_through IS NOT NULL AND reconciled_through + 1 < $2
  AND NOT EXISTS (SELECT FROM restored WHERE finished_at IS NULL)
ORDER BY reconciled_through, agreement_no LIMIT 200
