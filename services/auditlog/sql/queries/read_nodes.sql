-- All nodes of a proof in one round trip, in the order asked; a missing one is NULL.
SELECT coalesce(n.hash, e.leaf_hash)
FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS wanted (level, index, place)
LEFT JOIN tree_node n ON wanted.level > 0 AND n.level = wanted.level AND n.index = wanted.index
LEFT JOIN entry e ON wanted.level = 0 AND e.index = wanted.index
ORDER BY wanted.place
