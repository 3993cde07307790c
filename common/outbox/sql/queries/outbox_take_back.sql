-- What an earlier restore epoch numbered without an acknowledgement goes back to be numbered anew.
WITH taken AS (
  DELETE FROM outbox_number n USING outbox_relay r
  WHERE n.producer = r.producer AND n.producer <> $1 AND n.number > r.acked_number
  RETURNING n.district, n.outbox_id, n.created_at, n.body)
INSERT INTO outbox (district, outbox_id, created_at, body)
SELECT district, outbox_id, created_at, body FROM taken
