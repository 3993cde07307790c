-- Whether evidence of one kind is bound to the batch.
SELECT EXISTS (SELECT FROM attachment WHERE district = $1::integer AND batch_id = $2::bigint AND kind = $3::text)
