-- Whether something was sent on the day: its statement is then told to be complete even where no row of it was booked, since a
-- repair waits for that; so is that of a day on which rows were found at the bank.
SELECT 1 FROM file WHERE agreement_no = $1 AND sent_on = $2
UNION ALL
SELECT 1 FROM submission WHERE agreement_no = $1 AND looked_up_on = $2 AND withheld > 0
LIMIT 1
