-- Takes what is free. In the order of the key, so that two chunks that want the same wait for each other and never deadlock.
-- no district: the one rule that crosses districts.
INSERT INTO claim (claim_key, owner)
SELECT r.claim_key, r.owner FROM unnest($1::uuid[], $2::bigint[]) AS r (claim_key, owner) ORDER BY r.claim_key
ON CONFLICT (claim_key) DO NOTHING
