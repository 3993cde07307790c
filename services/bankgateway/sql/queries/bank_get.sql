-- One bank by its code.
SELECT bank_code, name, address, card_partner, suspended, tls_name FROM bank WHERE bank_code = $1
