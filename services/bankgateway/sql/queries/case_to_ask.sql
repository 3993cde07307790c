-- Cases that wait for the bank's answer (decision 7), not asked about today.
SELECT DISTINCT reference FROM reconciliation_case
WHERE bank_code = $1 AND state = 4 AND decision = 7 AND reference <> 0 AND (asked_on IS NULL OR asked_on < $2::date)
ORDER BY reference LIMIT 1000
