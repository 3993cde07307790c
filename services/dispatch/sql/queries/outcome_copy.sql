-- The new outcomes of a chunk by binary COPY; each (reference, number) once.
COPY outcome (district, reference, outcome_no, state, reason, booked_on, amount_fen, applied_in) FROM STDIN (FORMAT binary)
