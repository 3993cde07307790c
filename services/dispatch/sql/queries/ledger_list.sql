-- Rows of one line in the order of writing; the id breaks ties within one instant.
SELECT entry_id, batch_id, chunk, step, debit, credit, amount_fen, business_date, at, reason
FROM ledger
WHERE district = $1::integer AND line_id = $2::bigint
  AND (at, entry_id) > ($3::timestamptz, $4::uuid)
ORDER BY at, entry_id LIMIT $5::integer
