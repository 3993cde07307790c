-- Head and end of the entries in one statement, so that both are of one moment while others append.
SELECT coalesce((SELECT max(index) + 1 FROM entry), 0) AS entries, h.size, h.root, h.appended_at
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT size, root, appended_at FROM tree_head ORDER BY size DESC LIMIT 1) AS h ON true
