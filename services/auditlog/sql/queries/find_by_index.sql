-- The key by which the tree knows an entry.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry WHERE index = $1
