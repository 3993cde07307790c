-- The leaves under one chunk's submission, in their order.
SELECT a.reference, i.person_id, i.village, i.amount_fen, i.masked_name
FROM attempt a JOIN item i ON i.district = a.district AND i.item_id = a.reference / 100
WHERE a.district = $1::integer AND a.batch_id = $2::bigint AND a.chunk = $3::integer
  AND a.reference BETWEEN $4::bigint * 100 AND $5::bigint * 100 + 99
ORDER BY a.reference
