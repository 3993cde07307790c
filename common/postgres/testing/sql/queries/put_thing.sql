-- One row by scalar parameters, for comparison with the bulk forms.
INSERT INTO thing (district, id, amount_fen, name, seal, token, day, at, flag, small)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
