-- What the batches of a chunk of outcomes are about.
SELECT batch_id, policy_id, period, rule, salt_key FROM batch
WHERE district = $1::integer AND batch_id = ANY ($2::bigint[])
