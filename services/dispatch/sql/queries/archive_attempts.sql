-- The attempts of one chunk of work: by its range of items, or by its list where it is a repair's.
SELECT a.reference, a.submission_no, a.amount_fen, a.bank_code, a.account_version, a.social_card
FROM chunk c
JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN c.first_item * 100 AND c.last_item * 100 + 99
              AND a.batch_id = $2::bigint AND a.chunk = $3::integer
WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.chunk = $3::integer AND c.item_ids IS NULL
UNION ALL
SELECT a.reference, a.submission_no, a.amount_fen, a.bank_code, a.account_version, a.social_card
FROM chunk c
CROSS JOIN LATERAL unnest(c.item_ids) AS i (item_id)
JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
              AND a.batch_id = $2::bigint AND a.chunk = $3::integer
WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.chunk = $3::integer
ORDER BY 1
