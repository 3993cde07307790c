-- How many receipts are overdue on a day, what is left of them and how old the oldest is; and how many passings down are not booked.
SELECT count(*), coalesce(sum(amount_fen - passed_fen), 0)::bigint, coalesce(max($1::date - received_on), 0),
       (SELECT count(*) FROM pass_down WHERE NOT booked)
FROM fund_receipt
WHERE due_on < $1::date AND passed_fen < amount_fen AND cancelled_on IS NULL
