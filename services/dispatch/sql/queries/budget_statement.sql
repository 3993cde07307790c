-- One line up to the end of one day: what moved before it by account, and in it by step as well. The movements of a day are a few
-- tens of sums, however many rows they had. A line without any gives one row of NULLs, an unknown line none.
SELECT l.business_date = $3::date, CASE WHEN l.business_date = $3::date THEN l.step END AS step, l.debit, l.credit,
       count(l.line_id), coalesce(sum(l.amount_fen), 0)::bigint
FROM budget_line b
LEFT JOIN ledger l ON l.district = b.district AND l.line_id = b.line_id AND l.business_date <= $3::date
WHERE b.district = $1::integer AND b.line_id = $2::bigint
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
