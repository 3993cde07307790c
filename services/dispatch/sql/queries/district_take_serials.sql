-- One short lock on the district's counter for each new batch: its number, and serials for all its rows at once.
INSERT INTO district_counter AS c (district, next_batch, next_serial) VALUES ($1::integer, 2, 1 + $2::bigint)
ON CONFLICT (district) DO UPDATE SET next_batch = c.next_batch + 1, next_serial = c.next_serial + $2::bigint
RETURNING next_batch - 1, next_serial - $2::bigint, (SELECT epoch FROM restore_epoch)
