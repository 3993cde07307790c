-- The public notice of a batch: the days on which it was public, and the root over its lines.
SELECT from_date, to_date, root, lines, aggregate_only FROM notice WHERE district = $1::integer AND batch_id = $2::bigint
