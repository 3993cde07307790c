-- The package of a batch that is being made.
SELECT package_no, why, CASE WHEN worker = '' THEN taken ELSE taken - 1 END FROM archive_work
WHERE district = $1::integer AND batch_id = $2::bigint
