-- An edge's claim belongs to one of its two policies and counts that policy's items; the other policy gets no row back.
-- In the order of the key, each key once. no district: claims cross districts.
INSERT INTO claim AS c (claim_key, owner, holders)
SELECT r.claim_key, $1::bigint, r.holders FROM unnest($2::uuid[], $3::integer[]) AS r (claim_key, holders)
ORDER BY r.claim_key
ON CONFLICT (claim_key) DO UPDATE SET holders = c.holders + excluded.holders WHERE c.owner = excluded.owner
RETURNING claim_key
