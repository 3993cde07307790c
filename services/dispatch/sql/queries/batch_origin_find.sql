-- The batch that this one corrects or tops up.
SELECT kind, of_batch FROM batch_origin WHERE district = $1::integer AND batch_id = $2::bigint
