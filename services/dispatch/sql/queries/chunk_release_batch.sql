-- From here on any worker of any replica may take the batch's chunks.
UPDATE chunk SET stage = 1, not_before = now(), due_since = now()
WHERE district = $1::integer AND batch_id = $2::bigint AND stage = 0
