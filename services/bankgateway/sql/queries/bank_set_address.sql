-- The id of a file and its bytes do not depend on where they go: whoever sends or asks next goes to the new address.
UPDATE bank SET address = $2, tls_name = $3 WHERE bank_code = $1
