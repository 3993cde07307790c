-- What became of each line's money is the sum of its ledger rows: each row moves one amount between two accounts.
SELECT b.district, b.line_id, b.policy_id, b.year, b.source, b.available_fen, b.closed_on, l.debit, l.credit, l.amount_fen
FROM (SELECT * FROM budget_line
      WHERE ($1::text = '*' OR district = ANY (nullif($1::text, '*')::integer[])) AND ($2::text = '' OR policy_id = $2::text)
        AND (district, line_id) > ($3::integer, $4::bigint)
      ORDER BY district, line_id LIMIT $5::integer) b
LEFT JOIN LATERAL (
  SELECT debit, credit, sum(amount_fen)::bigint AS amount_fen
  FROM ledger WHERE ledger.district = b.district AND ledger.line_id = b.line_id
  GROUP BY debit, credit) l ON true
ORDER BY b.district, b.line_id
