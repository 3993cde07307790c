-- A run of entries for bundles and for checking the whole log.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry WHERE index >= $1 ORDER BY index LIMIT $2
