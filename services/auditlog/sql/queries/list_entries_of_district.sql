-- A statement of its own, so that its plan goes by (district, index) whatever the other parameters are.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry
WHERE district = $8
  AND index >= $1
  AND ($2::bool OR district = ANY ($3::integer[]))
  AND ($4::integer = 0 OR district = $4)
  AND ($5::text = '' OR kind = $5)
  AND ($6::text = '' OR producer = $6)
ORDER BY index LIMIT $7
