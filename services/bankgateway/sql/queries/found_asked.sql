-- Once a day.
UPDATE submission SET asked_on = $2 WHERE submission_id = $1
