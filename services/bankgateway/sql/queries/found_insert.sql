-- A result has its number at the bank, so that a page that is read again adds nothing.
INSERT INTO found_reference (district, reference, bank_code, number, restore_id, file_id, state, amount_fen, booked_on,
                             return_code, bank_serial)
SELECT f.district, f.reference, $1, f.number, $2, f.file_id, f.state, f.amount_fen, f.booked_on, f.return_code, f.bank_serial
FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::text[], $7::smallint[], $8::bigint[], $9::date[], $10::text[], $11::text[])
  AS f (district, reference, number, file_id, state, amount_fen, booked_on, return_code, bank_serial)
ON CONFLICT DO NOTHING
