-- Made at the first line; locked by whoever compares.
INSERT INTO statement AS s (agreement_no, day, district) VALUES ($1, $2, $3)
ON CONFLICT (agreement_no, day) DO UPDATE SET district = s.district
RETURNING statement_id, lines, complete, agreed, differences, debit_fen, credit_fen
