-- One short lock on the district's counter for each receipt, passing down and order; the restore epoch stands in the number.
INSERT INTO district_counter AS c (district, next_document) VALUES ($1::integer, 2)
ON CONFLICT (district) DO UPDATE SET next_document = c.next_document + 1
RETURNING (SELECT epoch FROM restore_epoch) * 10000000::bigint + next_document - 1
