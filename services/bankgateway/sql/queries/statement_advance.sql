-- In the transaction that completed the day; also over days without a line.
UPDATE agreement SET reconciled_through = $2 WHERE agreement_no = $1 AND reconciled_through = $2::date - 1
