-- Both in the order of their ids, as everything that locks people; scope stands here.
SELECT person_id, merged_into
FROM person
WHERE person_id = ANY ($1::bigint[]) AND ($2::boolean OR district = ANY ($3::integer[]))
ORDER BY person_id
FOR UPDATE;
