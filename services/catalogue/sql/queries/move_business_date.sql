-- Forward only, whoever else moves it.
UPDATE business_date SET today = $1 WHERE today <= $1
