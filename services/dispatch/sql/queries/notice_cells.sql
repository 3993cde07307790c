-- Counts by village; what is too small to be shown is hidden by whoever reads it.
SELECT village, count(*), sum(amount_fen)::bigint FROM item
WHERE district = $1::integer AND item_id BETWEEN $3::bigint AND $4::bigint AND batch_id = $2::bigint AND village > $5::bigint
GROUP BY village ORDER BY village LIMIT $6::integer
