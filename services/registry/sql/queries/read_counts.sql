-- Scope stands here: a caller counts within the districts of the token.
SELECT coalesce(sum(people), 0)::bigint, coalesce(sum(living), 0)::bigint, coalesce(sum(active_cards), 0)::bigint,
  coalesce(sum(legacy_only), 0)::bigint
FROM count_delta
WHERE ($1::integer = 0 OR district = $1) AND ($2::boolean OR district = ANY ($3::integer[]));
