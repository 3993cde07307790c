-- The batches that still have money of a line, by batch.
SELECT batch_id,
       coalesce(sum(CASE WHEN debit = 3 THEN amount_fen WHEN credit = 3 THEN -amount_fen END), 0)::bigint AS reserved_fen,
       coalesce(sum(CASE WHEN debit = 4 THEN amount_fen WHEN credit = 4 THEN -amount_fen END), 0)::bigint AS in_transit_fen
FROM ledger
WHERE district = $1::integer AND line_id = $2::bigint AND batch_id > $3::bigint
GROUP BY batch_id
HAVING coalesce(sum(CASE WHEN debit IN (3, 4) THEN amount_fen END), 0) <>
       coalesce(sum(CASE WHEN credit IN (3, 4) THEN amount_fen END), 0)
ORDER BY batch_id LIMIT $4::integer
