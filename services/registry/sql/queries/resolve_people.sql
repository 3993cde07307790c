-- Look-ups of a collection chunk by blind index: the record that the number names, and, where it was merged into another, that
-- one behind it (`m`, nearly never: a NULL key costs no look-up). The household's head only where it is asked for, since that is
-- another look-up a row.
SELECT n.i,
  p.person_id, p.name_cipher, p.born_on, p.died_on, p.village_code, p.household_id, p.has_alias,
  m.person_id, m.name_cipher, m.born_on, m.died_on, m.village_code, m.household_id, m.has_alias,
  h.head_person_id, coalesce(w.merged_into, w.person_id)
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(id_no_index, i)
JOIN person_key k ON k.id_no_index = n.id_no_index
JOIN person p ON p.person_id = k.person_id
LEFT JOIN person m ON m.person_id = p.merged_into
LEFT JOIN household h ON h.household_id = CASE WHEN NOT $2::boolean THEN NULL WHEN p.merged_into IS NULL THEN p.household_id ELSE m.household_id END
LEFT JOIN person_key g
  ON g.id_no_index = CASE WHEN p.merged_into IS NULL THEN p.guardian_no_index ELSE m.guardian_no_index END
LEFT JOIN person w ON w.person_id = g.person_id;
