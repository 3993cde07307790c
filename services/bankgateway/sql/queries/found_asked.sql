-- Once a day; never again where every withheld row has its end.
UPDATE submission SET asked_on = CASE WHEN $3 THEN 'infinity' ELSE $2::date END WHERE submission_id = $1
