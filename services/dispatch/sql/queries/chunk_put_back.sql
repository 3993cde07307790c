-- Gives a chunk back for later. What was nobody's fault (a peer that is away, a closed send window) is not counted.
UPDATE chunk SET worker = '', not_before = now() + make_interval(secs => $5::integer),
       taken = taken - CASE WHEN $6::boolean THEN 0 ELSE 1 END, why = $7::text
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND fence = $4::bigint
