-- A chunk's items by binary COPY: written once, never changed.
COPY item (district, item_id, batch_id, chunk, person_id, payee_id, village, amount_fen, masked_name)
FROM STDIN (FORMAT binary)
