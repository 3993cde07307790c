-- The notice of one batch.
SELECT from_date, to_date, root, lines, aggregate_only FROM notice WHERE district = $1::integer AND batch_id = $2::bigint
