-- The package is sealed, in the same transaction.
DELETE FROM archive_work WHERE district = $1::integer AND batch_id = $2::bigint AND fence = $3::bigint
