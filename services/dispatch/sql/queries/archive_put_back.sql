-- Gives a package back for later, with what it waits for. What is nobody's failure is not counted.
UPDATE archive_work
SET worker = '', not_before = now() + make_interval(secs => $5::integer), why = $6::text,
    taken = CASE WHEN $7::boolean THEN taken ELSE taken - 1 END
WHERE district = $1::integer AND batch_id = $2::bigint AND fence = $3::bigint AND run = $4::integer
