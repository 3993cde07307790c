-- What became of the attempts of one chunk of work, told behind one number of the gateway's and up to another. What this service
-- itself concluded has number 0, and belongs to the package in which the chunk is new ($4 below 0).
WITH tried AS MATERIALIZED (
  SELECT a.reference FROM chunk c
  JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN c.first_item * 100 AND c.last_item * 100 + 99
                AND a.batch_id = $2::bigint AND a.chunk = $3::integer
  WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.chunk = $3::integer AND c.item_ids IS NULL
  UNION ALL
  SELECT a.reference FROM chunk c
  CROSS JOIN LATERAL unnest(c.item_ids) AS i (item_id)
  JOIN attempt a ON a.district = $1::integer AND a.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
                AND a.batch_id = $2::bigint AND a.chunk = $3::integer
  WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.chunk = $3::integer)
SELECT o.reference, o.outcome_no, o.state, o.reason, o.booked_on, o.amount_fen, o.applied_in
FROM tried t JOIN outcome o ON o.district = $1::integer AND o.reference = t.reference
WHERE o.applied_in > $4::bigint AND o.applied_in <= $5::bigint
ORDER BY o.reference, o.outcome_no
