-- Gives a chunk back for later. What was nobody's fault (a peer that is away, a closed send window) is not counted. It stays due
-- since when it was, however often it comes back; only where it may not be sent at all is it due from when that ends ($8 seconds).
UPDATE chunk SET worker = '', not_before = now() + make_interval(secs => $5::integer),
       due_since = coalesce(now() + make_interval(secs => $8::bigint), least(coalesce(due_since, not_before), now())),
       taken = taken - CASE WHEN $6::boolean THEN 0 ELSE 1 END, why = $7::text
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND fence = $4::bigint
