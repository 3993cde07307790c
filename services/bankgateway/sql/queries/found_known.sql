-- What was found of these references, by ranges as known_instructions; the reader leaves out what lies between.
SELECT f.reference, f.bank_code, f.number, f.state, f.amount_fen, f.booked_on, f.return_code, f.bank_serial, f.file_id
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN found_reference f ON f.district = $1 AND f.reference BETWEEN r.first AND r.last
ORDER BY f.reference, f.number = 0, f.number
