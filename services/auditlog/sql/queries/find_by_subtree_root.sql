-- The entry that commits to a chunk's items, found from an item's own proof.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry WHERE subtree_root = $1 ORDER BY index LIMIT 1
