-- What still moves in a batch: items that wait, are in transit, or whose outcome nobody knows.
SELECT coalesce(sum(CASE WHEN to_bucket IN (1, 5) THEN items ELSE 0 END)
              - sum(CASE WHEN from_bucket IN (1, 5) THEN items ELSE 0 END), 0)::bigint,
       coalesce(sum(CASE WHEN to_bucket = 8 THEN items ELSE 0 END)
              - sum(CASE WHEN from_bucket = 8 THEN items ELSE 0 END), 0)::bigint,
       coalesce(sum(CASE WHEN to_bucket IN (2, 4, 7, 9) THEN items ELSE 0 END)
              - sum(CASE WHEN from_bucket IN (2, 4, 7, 9) THEN items ELSE 0 END), 0)::bigint,
       (SELECT count(DISTINCT e.item_id) FROM exception e
        WHERE e.district = $1::integer AND e.batch_id = $2::bigint AND e.bucket = 11)
FROM movement WHERE district = $1::integer AND batch_id = $2::bigint
