-- Splits each item by the shares of the sources after the first and adds up; the first source gets what remains, so that the
-- parts agree to the fen. Stopped and cancelled items take no money. One row: all of it, and each later source's part.
SELECT coalesce(sum(t.amount_fen), 0)::bigint,
       coalesce((SELECT array_agg(s.part ORDER BY s.ord) FROM (
         SELECT b.ord, (SELECT coalesce(sum(j.amount_fen * b.bp / 10000), 0)
                        FROM item j
                        WHERE j.district = $1::integer AND j.item_id BETWEEN $3::bigint AND $4::bigint
                          AND j.batch_id = $2::bigint
                          AND NOT EXISTS (SELECT FROM exception e WHERE e.district = $1::integer
                                          AND e.item_id = j.item_id AND e.bucket = 3))::bigint AS part
         FROM unnest($5::integer[]) WITH ORDINALITY AS b (bp, ord)) s), '{}')::text
FROM item t
WHERE t.district = $1::integer AND t.item_id BETWEEN $3::bigint AND $4::bigint AND t.batch_id = $2::bigint
  AND NOT EXISTS (SELECT FROM exception e WHERE e.district = $1::integer AND e.item_id = t.item_id AND e.bucket = 3)
