-- What stands under numbers that a producer sends again.
SELECT leaf_hash FROM entry
WHERE producer = $1 AND restore_epoch = $2::smallint AND number >= $3 AND number < $3::bigint + $4::bigint
ORDER BY number
