-- Which line pays each source of a batch, in the order of the version's shares.
SELECT r.line_id, r.amount_fen, l.year, l.closed_on
FROM reservation r JOIN budget_line l ON l.district = r.district AND l.line_id = r.line_id
WHERE r.district = $1::integer AND r.batch_id = $2::bigint ORDER BY r.source_no
