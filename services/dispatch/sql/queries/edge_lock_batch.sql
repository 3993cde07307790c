-- Before a cancellation takes its items off edge claims: all of them locked, in the order of the key, as uploads lock them.
-- no district: claims cross districts.
SELECT count(*) FROM (
  SELECT c.claim_key FROM claim c
  WHERE c.owner = $3::bigint AND c.claim_key IN (SELECT unnest(u.edge_keys) FROM upload_chunk u
                                                 WHERE u.district = $1::integer AND u.batch_id = $2::bigint)
  ORDER BY c.claim_key FOR UPDATE) locked
