-- How many left since last period without a reason.
SELECT count(*) FROM departure WHERE district = $1::integer AND batch_id = $2::bigint AND reason = ''
