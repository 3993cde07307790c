-- In the order of their ids, so that two chunks of changes wait for each other and never deadlock. `o` is the record that
-- the number names, `p` the one that stands for the person after a merge.
SELECT n.i, p.person_id
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(id_no_index, i)
JOIN person_key k ON k.id_no_index = n.id_no_index
JOIN person o ON o.person_id = k.person_id
JOIN person p ON p.person_id = coalesce(o.merged_into, o.person_id)
ORDER BY p.person_id
FOR UPDATE OF p;
