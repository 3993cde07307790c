-- Where the poller asks from.
SELECT result_cursor FROM bank WHERE bank_code = $1
