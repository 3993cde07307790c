-- Look-ups of a collection chunk by blind index. `o` is the record that the number names, `p` the one that stands for the
-- person after a merge.
SELECT n.i, p.person_id, p.name_cipher, p.born_on, p.died_on, p.village_code, p.household_id, h.head_person_id,
  coalesce(w.merged_into, w.person_id), p.has_alias
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(id_no_index, i)
JOIN person_key k ON k.id_no_index = n.id_no_index
JOIN person o ON o.person_id = k.person_id
JOIN person p ON p.person_id = coalesce(o.merged_into, o.person_id)
LEFT JOIN household h ON h.household_id = p.household_id
LEFT JOIN person_key g ON g.id_no_index = p.guardian_no_index
LEFT JOIN person w ON w.person_id = g.person_id;
