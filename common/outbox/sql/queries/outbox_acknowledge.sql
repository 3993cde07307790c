-- Only ever forward.
UPDATE outbox_relay SET acked_number = greatest(acked_number, $2::bigint) WHERE producer = $1
