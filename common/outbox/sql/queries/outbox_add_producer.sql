-- The row that the relays contend for; made by whoever comes first.
INSERT INTO outbox_relay (producer) VALUES ($1) ON CONFLICT DO NOTHING
