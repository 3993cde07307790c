-- Takes a cancelled batch's items off edge claims. no district: claims cross districts.
WITH back AS (SELECT r.claim_key, sum(r.holders)::integer AS holders
              FROM upload_chunk u, unnest(u.edge_keys, u.edge_holders) AS r (claim_key, holders)
              WHERE u.district = $1::integer AND u.batch_id = $2::bigint GROUP BY r.claim_key),
gone AS (DELETE FROM claim c USING back
         WHERE c.claim_key = back.claim_key AND c.owner = $3::bigint AND c.holders <= back.holders)
UPDATE claim c SET holders = c.holders - back.holders FROM back
WHERE c.claim_key = back.claim_key AND c.owner = $3::bigint AND c.holders > back.holders
