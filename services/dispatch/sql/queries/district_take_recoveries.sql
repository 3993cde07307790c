-- One short lock on the district's counter for the recoveries and arrivals of one step.
INSERT INTO district_counter AS c (district, next_recovery) VALUES ($1::integer, 1 + $2::bigint)
ON CONFLICT (district) DO UPDATE SET next_recovery = c.next_recovery + $2::bigint
RETURNING next_recovery - $2::bigint, (SELECT epoch FROM restore_epoch)
