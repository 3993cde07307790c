-- Which line pays each source of a batch, in the order of the version's shares.
SELECT line_id, amount_fen FROM reservation
WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY source_no
