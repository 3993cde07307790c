-- Splits each item by the shares of the sources after the first and adds up; the first source gets what remains, so that the
-- parts agree to the fen. Stopped and cancelled items take no money.
SELECT count(*), coalesce(sum(i.amount_fen), 0)::bigint,
       coalesce((SELECT array_agg(part ORDER BY ord) FROM (
         SELECT s.ord, sum(j.amount_fen * s.bp / 10000)::bigint AS part
         FROM item j, unnest($5::integer[]) WITH ORDINALITY AS s (bp, ord)
         WHERE j.district = $1::integer AND j.item_id BETWEEN $3::bigint AND $4::bigint AND j.batch_id = $2::bigint
           AND NOT EXISTS (SELECT FROM exception e WHERE e.district = j.district AND e.item_id = j.item_id AND e.bucket = 3)
         GROUP BY s.ord) parts), '{}')::text
FROM item i
WHERE i.district = $1::integer AND i.item_id BETWEEN $3::bigint AND $4::bigint AND i.batch_id = $2::bigint
  AND NOT EXISTS (SELECT FROM exception e WHERE e.district = i.district AND e.item_id = i.item_id AND e.bucket = 3)
