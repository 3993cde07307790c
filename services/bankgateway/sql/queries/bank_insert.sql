-- A bank is registered once.
INSERT INTO bank (bank_code, name, address, tls_name, card_partner)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (bank_code) DO NOTHING
