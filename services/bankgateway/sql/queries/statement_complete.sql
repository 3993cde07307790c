-- The day is done.
UPDATE statement SET complete = true WHERE agreement_no = $1 AND day = $2
