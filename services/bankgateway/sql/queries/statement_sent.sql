-- Whether something was sent on the day: its statement is then told to be complete even where no row of it was booked, since a
-- repair waits for that.
SELECT 1 FROM file WHERE agreement_no = $1 AND sent_on = $2 LIMIT 1
