-- One page of the items of a batch that left the normal path: whole items, so that a page ends between two of them.
SELECT item_id, exception_no, bucket, reason, resolved, since_on FROM exception
WHERE district = $1::integer AND batch_id = $2::bigint
  AND item_id IN (SELECT DISTINCT e.item_id FROM exception e
                  WHERE e.district = $1::integer AND e.batch_id = $2::bigint AND e.item_id BETWEEN $3::bigint + 1 AND $5::bigint
                  ORDER BY e.item_id LIMIT $4::integer)
  AND item_id BETWEEN $3::bigint + 1 AND $5::bigint
ORDER BY item_id, exception_no
