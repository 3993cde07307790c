-- A page by code; there are a few dozen banks.
SELECT bank_code, name, address, card_partner, suspended, tls_name FROM bank
WHERE bank_code > $1 ORDER BY bank_code LIMIT $2
