-- Durable before its first byte leaves.
INSERT INTO file (file_id, file_number, district, agreement_no, bank_code, business_date, row_count, total_fen, byte_size,
                  part_count, sha256, signature, signer_key_id, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)
