-- One short lock on the district's counter for each new budget line; the row is made where the district is new.
INSERT INTO district_counter AS c (district, next_line) VALUES ($1::integer, 2)
ON CONFLICT (district) DO UPDATE SET next_line = c.next_line + 1
RETURNING (SELECT epoch FROM restore_epoch) * 10000000::bigint + next_line - 1
