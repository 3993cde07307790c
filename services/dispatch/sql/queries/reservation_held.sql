-- What is still reserved for a batch on each of its lines: its ledger rows tell.
SELECT line_id, sum(CASE WHEN debit = 3 THEN amount_fen WHEN credit = 3 THEN -amount_fen ELSE 0 END)::bigint
FROM ledger
WHERE district = $1::integer AND batch_id = $2::bigint
  AND line_id IN (SELECT line_id FROM reservation r WHERE r.district = $1::integer AND r.batch_id = $2::bigint)
GROUP BY line_id ORDER BY line_id
