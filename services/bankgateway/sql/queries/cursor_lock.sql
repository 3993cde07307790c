-- Whoever writes outcomes of a bank holds this row: two writers would give one reference two outcomes of one number.
SELECT result_cursor FROM bank WHERE bank_code = $1 FOR UPDATE
