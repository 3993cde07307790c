-- The key by which a producer knows its entry.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry WHERE producer = $1 AND restore_epoch = $2::smallint AND number = $3
