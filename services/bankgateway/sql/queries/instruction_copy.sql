-- Bulk: the rows of one chunk. The key makes a reference unique for ever.
COPY instruction (district, reference, submission_id, person_id, account_version, amount_fen, payee_bank, last_four)
FROM STDIN (FORMAT binary)
