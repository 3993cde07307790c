-- Items that leave the normal path, each with its next number.
INSERT INTO exception (district, item_id, exception_no, batch_id, bucket, reason, resolved, since_on)
SELECT $1::integer, r.item_id,
       1 + coalesce((SELECT max(e.exception_no) FROM exception e
                     WHERE e.district = $1::integer AND e.item_id = r.item_id), 0),
       $2::bigint, r.bucket, r.reason, false, $6::date
FROM unnest($3::bigint[], $4::smallint[], $5::text[]) AS r (item_id, bucket, reason)
