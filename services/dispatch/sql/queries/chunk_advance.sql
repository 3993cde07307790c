-- The next stage begins with its own count of attempts, and is due from now.
UPDATE chunk SET stage = $5::smallint, taken = 1, why = '', due_since = now(),
       worker = CASE WHEN $5::smallint IN (1, 2, 3) THEN worker ELSE '' END
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND fence = $4::bigint
