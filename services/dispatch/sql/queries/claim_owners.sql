-- Who has the claims that a chunk wanted and did not get; asked only when one is missing. Owner 0: whoever had it in the way of
-- our INSERT has given it back since, so that it is not ours, and nobody's. no district: claims cross districts.
SELECT r.claim_key, coalesce(c.owner, 0)
FROM unnest($1::uuid[], $2::bigint[]) AS r (claim_key, owner)
LEFT JOIN claim c ON c.claim_key = r.claim_key
WHERE c.owner IS DISTINCT FROM r.owner
