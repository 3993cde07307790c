-- The nodes that an append completes; each is complete once, so the key must be free.
INSERT INTO tree_node (level, index, hash)
SELECT level, index, hash FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS new (level, index, hash)
