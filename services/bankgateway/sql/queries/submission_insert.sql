-- Together with its instructions, in one transaction; a second comer waits here and then finds the first.
INSERT INTO submission (request_id, content_hash, district, agreement_no, bank_code, summary, row_count, total_fen,
                        item_references, accounts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (request_id) DO NOTHING
RETURNING submission_id
