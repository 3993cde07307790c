-- A whole append in one round trip; keys refuse an index or a number that is taken.
INSERT INTO entry (index, producer, restore_epoch, number, leaf_hash, district, kind, subject,
                   subtree_root, appended_at, body)
SELECT index, $1, $2::smallint, number, leaf_hash, district, kind, subject, subtree_root, $3::timestamptz, body
FROM unnest($4::bigint[], $5::bigint[], $6::bytea[], $7::integer[], $8::text[], $9::text[], $10::bytea[],
            $11::bytea[])
  AS new (index, number, leaf_hash, district, kind, subject, subtree_root, body)
