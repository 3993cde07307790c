-- Gives back claims that these items own. no district: claims cross districts.
DELETE FROM claim c USING unnest($1::uuid[], $2::bigint[]) AS r (claim_key, owner)
WHERE c.claim_key = r.claim_key AND c.owner = r.owner
