-- A resource and what is below it: in byte order "0" follows "/", which bounds the range without a pattern.
SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, appended_at, body
FROM entry
WHERE (subject = $8 OR (subject > $8 || '/' AND subject < $8 || '0'))
  AND index >= $1
  AND ($2::bool OR district = ANY ($3::integer[]))
  AND ($4::integer = 0 OR district = $4)
  AND ($5::text = '' OR kind = $5)
  AND ($6::text = '' OR producer = $6)
ORDER BY index LIMIT $7
