-- The package went on; under the lock of archive_lock. Whoever holds it counts as its first taker from here on.
UPDATE archive_work
SET step = $4::smallint, after_id = $5::bigint, after_text = $6::text, page = $7::integer, taken = 1, why = '',
    last_paid_on = greatest(last_paid_on, $8::date)
WHERE district = $1::integer AND batch_id = $2::bigint AND fence = $3::bigint
