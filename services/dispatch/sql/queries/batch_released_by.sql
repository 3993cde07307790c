-- Who released it: nobody who entered or reviewed it.
UPDATE batch SET released_by = $3::text WHERE district = $1::integer AND batch_id = $2::bigint
