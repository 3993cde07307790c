-- One page of the ledger rows of a batch, on the lines that it was reserved from. A line's rows are those of a year of one
-- policy in one district; an index on the batch would be one more for each row of the ledger.
SELECT l.line_id, l.entry_id::text, b.year, b.source, l.chunk, l.step, l.reason, l.debit, l.credit, l.amount_fen,
       l.business_date, l.at
FROM (SELECT DISTINCT line_id FROM reservation WHERE district = $1::integer AND batch_id = $2::bigint) r
JOIN budget_line b ON b.district = $1::integer AND b.line_id = r.line_id
JOIN ledger l ON l.district = $1::integer AND l.line_id = r.line_id AND l.batch_id = $2::bigint
WHERE l.line_id > $3::bigint OR (l.line_id = $3::bigint AND l.entry_id > coalesce(nullif($4::text, ''),
      '00000000-0000-0000-0000-000000000000')::uuid)
ORDER BY l.line_id, l.entry_id LIMIT $5::integer
