-- A chunk's attempts by binary COPY; the reference is the key, so that nothing is sent twice under one.
COPY attempt (district, reference, batch_id, chunk, submission_no, amount_fen, bank_code, account_version, social_card)
FROM STDIN (FORMAT binary)
