-- A route is of no use once its attempts stand.
DELETE FROM route WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer
