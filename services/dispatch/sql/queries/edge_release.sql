-- Takes items off edge claims, and the claim with its last item. The rows are locked by this transaction already.
-- no district: claims cross districts.
WITH back AS (SELECT r.claim_key, r.holders FROM unnest($2::uuid[], $3::integer[]) AS r (claim_key, holders)),
gone AS (DELETE FROM claim c USING back
         WHERE c.claim_key = back.claim_key AND c.owner = $1::bigint AND c.holders <= back.holders)
UPDATE claim c SET holders = c.holders - back.holders FROM back
WHERE c.claim_key = back.claim_key AND c.owner = $1::bigint AND c.holders > back.holders
