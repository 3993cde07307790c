-- The newest first, within the caller's districts and fields.
SELECT district, batch_id, department_id, field, policy_id, policy_version, period, rule, state, declared_count, declared_fen,
       first_item, salt_key, created_org, created_by, created_at, created_on, pay_on, state_since_on,
       coalesce(released_by, ''), reason
FROM batch
WHERE ($1::boolean OR district = ANY ($2::integer[])) AND ($3::boolean OR field = ANY ($4::text[]))
  AND ($5::integer = 0 OR district = $5::integer) AND ($6::text = '' OR policy_id = $6::text)
  AND ($7::smallint = 0 OR state = $7::smallint)
  AND (created_at, batch_id) < ($8::timestamptz, $9::bigint)
ORDER BY created_at DESC, batch_id DESC LIMIT $10::integer
