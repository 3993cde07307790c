-- Gives back the claims of a cancelled chunk; only a claim that an item of its range owns. no district: claims cross districts.
DELETE FROM claim c USING upload_chunk u, unnest(u.claim_keys) AS r (claim_key)
WHERE u.district = $1::integer AND u.batch_id = $2::bigint AND u.chunk = $3::integer
  AND c.claim_key = r.claim_key AND c.owner BETWEEN u.first_item AND u.last_item
