-- Unpacks a chunk's routes in the order of its items.
SELECT u.item_id, u.account_version, r.agreements[u.agreement_no + 1]
FROM route r, unnest(r.item_ids, r.account_versions, r.agreement_nos) WITH ORDINALITY
     AS u (item_id, account_version, agreement_no, ord)
WHERE r.district = $1::integer AND r.batch_id = $2::bigint AND r.chunk = $3::integer
ORDER BY u.ord
