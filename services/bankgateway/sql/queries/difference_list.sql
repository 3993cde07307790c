-- A page in the order in which they were found, of the caller's districts.
SELECT difference_id, agreement_no, day, line, reference, kind, statement_fen, book_fen
FROM difference
WHERE difference_id > $1 AND ($2 = '' OR agreement_no = $2) AND ($3::boolean OR district = ANY ($4::integer[]))
ORDER BY difference_id LIMIT $5
