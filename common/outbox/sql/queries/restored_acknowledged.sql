-- What the log had acknowledged under the epoch that ends.
SELECT acked_number FROM outbox_relay WHERE producer = $1 FOR UPDATE
