-- Under the lock of statement_lock, with the lines that it counts.
UPDATE statement
SET lines = lines + $3, agreed = agreed + $4, differences = differences + $5, debit_fen = debit_fen + $6,
    credit_fen = credit_fen + $7
WHERE agreement_no = $1 AND day = $2
