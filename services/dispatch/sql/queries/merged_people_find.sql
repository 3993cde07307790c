-- Under which other ids items may name these people. no district: people belong to none here.
WITH RECURSIVE known (person_id, alias) AS (
  SELECT u.person_id, u.person_id FROM unnest($1::bigint[]) AS u (person_id)
  UNION
  SELECT k.person_id, m.other_id FROM known k JOIN merged_person m ON m.person_id = k.alias)
SELECT person_id, alias FROM known WHERE alias <> person_id ORDER BY person_id, alias
