-- A relay that stops in order leaves the lease to others at once.
UPDATE outbox_relay SET holder = '' WHERE producer = $1 AND holder = $2 AND fence = $3
