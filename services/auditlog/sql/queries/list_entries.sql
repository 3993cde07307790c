-- Without a selective filter the order of the tree itself is read; scope stands here, so that what is foreign does not exist.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry
WHERE index >= $1
  AND ($2::bool OR district = ANY ($3::integer[]))
  AND ($4::integer = 0 OR district = $4)
  AND ($5::text = '' OR kind = $5)
  AND ($6::text = '' OR producer = $6)
ORDER BY index LIMIT $7
