-- Equal bodies may have been appended twice; the first proves as much as the others.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry WHERE leaf_hash = $1 ORDER BY index LIMIT 1
