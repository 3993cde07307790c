-- The newest head; no row while the log is empty.
SELECT size, root, appended_at FROM tree_head ORDER BY size DESC LIMIT 1
