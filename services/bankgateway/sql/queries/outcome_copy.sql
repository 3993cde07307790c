-- Bulk: outcomes of one step. The key refuses a second outcome of one number.
COPY outcome (district, reference, outcome_no, state, amount_fen, booked_on, reason, bank_serial)
FROM STDIN (FORMAT binary)
