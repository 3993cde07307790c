-- Acknowledged entries are the log's to keep; ours stay only for as long as somebody may want to compare.
DELETE FROM outbox_number n USING outbox_relay r
WHERE n.producer = r.producer AND n.number <= r.acked_number
  AND n.created_at < now() - make_interval(days => $1)
