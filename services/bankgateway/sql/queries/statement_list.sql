-- A page, the newest first, of the caller's districts.
SELECT agreement_no, day, complete, lines, agreed, differences, debit_fen, credit_fen
FROM statement
WHERE ($1 = '' OR agreement_no = $1) AND (day, agreement_no) < ($2, $3)
  AND ($4::boolean OR district = ANY ($5::integer[]))
ORDER BY day DESC, agreement_no DESC LIMIT $6
