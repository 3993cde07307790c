-- A batch of a district or field that is foreign to the caller does not exist.
SELECT district, batch_id, department_id, field, policy_id, policy_version, period, rule, state, declared_count, declared_fen,
       first_item, salt_key, created_org, created_by, created_at, created_on, pay_on, state_since_on,
       coalesce(released_by, ''), reason
FROM batch
WHERE district = $1::integer AND batch_id = $2::bigint
  AND ($3::boolean OR district = ANY ($4::integer[])) AND ($5::boolean OR field = ANY ($6::text[]))
