-- The nodes that the leaves [first, last) complete: those whose last leaf is among them. Bounds for each level are given.
SELECT n.level, n.index, n.hash
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS bounds (level, first_index, last_index)
JOIN tree_node n ON n.level = bounds.level AND n.index >= bounds.first_index AND n.index < bounds.last_index
