-- Locks one batch for a step of the whole batch; never while its items are inserted.
SELECT state, department_id, field, policy_id, period, rule, first_item, declared_count, created_by, pay_on, salt_key,
       coalesce(released_by, ''), policy_version
FROM batch WHERE district = $1::integer AND batch_id = $2::bigint FOR UPDATE
