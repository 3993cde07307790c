-- Reconciliation begins with the day of the first file.
UPDATE agreement SET reconciled_through = $2::date - 1 WHERE agreement_no = $1 AND reconciled_through IS NULL
