-- Moves what has committed to dense numbers, across districts: the log has one order for all of them. Older
-- ones first, so that the log reads in about the order of the deeds. Names no district for that reason.
WITH picked AS (
  SELECT district, outbox_id FROM outbox ORDER BY created_at, outbox_id LIMIT $3),
moved AS (
  DELETE FROM outbox o USING picked p
  WHERE o.district = p.district AND o.outbox_id = p.outbox_id
  RETURNING o.district, o.outbox_id, o.created_at, o.body),
numbered AS (
  INSERT INTO outbox_number (producer, number, district, outbox_id, created_at, body)
  SELECT $1, $2::bigint + row_number() OVER (ORDER BY created_at, outbox_id),
         district, outbox_id, created_at, body
  FROM moved RETURNING 1),
counted AS (SELECT count(*) AS n FROM numbered)
UPDATE outbox_relay SET last_number = $2::bigint + n FROM counted WHERE producer = $1 AND n > 0
RETURNING n
