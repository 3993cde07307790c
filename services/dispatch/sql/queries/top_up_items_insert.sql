-- Items of missed amounts are for the people of the items that they are tied to; all of them, and their ties, at once.
WITH rows AS (
  SELECT * FROM unnest($4::bigint[], $5::bigint[], $6::integer[], $7::bigint[]) AS r (item_id, of_item, ordinal, amount_fen)),
tied AS (
  INSERT INTO top_up (district, item_id, batch_id, of_item, ordinal, amount_fen)
  SELECT $1::integer, r.item_id, $2::bigint, r.of_item, r.ordinal, r.amount_fen FROM rows r)
INSERT INTO item (district, item_id, batch_id, chunk, person_id, payee_id, village, amount_fen, masked_name)
SELECT $1::integer, r.item_id, $2::bigint, 1, i.person_id, i.payee_id, i.village, r.amount_fen, i.masked_name
FROM rows r JOIN item i ON i.district = $1::integer AND i.item_id = r.of_item AND i.batch_id = $3::bigint
