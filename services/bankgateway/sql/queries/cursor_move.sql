-- In the transaction that applies what lies before it.
UPDATE bank SET result_cursor = $2 WHERE bank_code = $1
