-- The next batches, from one on, in which something waits: sums over their movements, and what partial indexes hold. Closed and
-- cancelled batches have nothing open.
SELECT b.district, b.batch_id, b.first_item, b.first_item + b.declared_count - 1
FROM batch b
WHERE ($1::boolean OR b.district = ANY ($2::integer[])) AND ($3::boolean OR b.field = ANY ($4::text[]))
  AND ($5::integer = 0 OR b.district = $5::integer) AND ($6::bigint = 0 OR b.batch_id = $6::bigint)
  AND b.batch_id >= $7::bigint
  AND (b.state BETWEEN 3 AND 8 AND
         (SELECT sum(CASE WHEN m.to_bucket IN (2, 4, 7, 8, 9) THEN m.items ELSE 0 END)
               - sum(CASE WHEN m.from_bucket IN (2, 4, 7, 8, 9) THEN m.items ELSE 0 END)
          FROM movement m WHERE m.district = b.district AND m.batch_id = b.batch_id) > 0
       OR b.state = 10
       OR EXISTS (SELECT FROM chunk c WHERE c.district = b.district AND c.batch_id = b.batch_id AND c.stage = 9)
       OR EXISTS (SELECT FROM recovery r WHERE r.district = b.district AND r.batch_id = b.batch_id AND r.state BETWEEN 1 AND 4))
ORDER BY b.batch_id LIMIT $8::integer
