-- All columns in the order of the key, so that both result formats can be compared.
SELECT district, id, amount_fen, name, seal, token, day, at, flag, small FROM thing ORDER BY district, id
