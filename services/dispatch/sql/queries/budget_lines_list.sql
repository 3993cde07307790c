-- What became of each line's money is the sum of its ledger rows: each row moves one amount between two accounts.
SELECT b.district, b.line_id, b.policy_id, b.year, b.source, b.available_fen,
       coalesce(l.appropriated, 0)::bigint, coalesce(l.reserved, 0)::bigint, coalesce(l.in_transit, 0)::bigint,
       coalesce(l.paid, 0)::bigint
FROM (SELECT * FROM budget_line
      WHERE ($1::text = '*' OR district = ANY (nullif($1::text, '*')::integer[])) AND ($2::text = '' OR policy_id = $2::text)
        AND (district, line_id) > ($3::integer, $4::bigint)
      ORDER BY district, line_id LIMIT $5::integer) b
LEFT JOIN LATERAL (
  SELECT sum(CASE WHEN credit = 1 THEN amount_fen WHEN debit = 1 THEN -amount_fen END) AS appropriated,
         sum(CASE WHEN debit = 3 THEN amount_fen WHEN credit = 3 THEN -amount_fen END) AS reserved,
         sum(CASE WHEN debit = 4 THEN amount_fen WHEN credit = 4 THEN -amount_fen END) AS in_transit,
         sum(CASE WHEN debit = 5 THEN amount_fen WHEN credit = 5 THEN -amount_fen END) AS paid
  FROM ledger WHERE ledger.district = b.district AND ledger.line_id = b.line_id) l ON true
ORDER BY b.district, b.line_id
