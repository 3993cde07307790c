-- Begins every transaction of the relay: no row when another has fenced it off.
SELECT last_number, acked_number FROM outbox_relay
WHERE producer = $1 AND holder = $2 AND fence = $3 FOR UPDATE
