-- The heads after one size up to another, to be compared with the leaves.
SELECT size, root, appended_at FROM tree_head WHERE size > $1 AND size <= $2 ORDER BY size
