-- In the order of the key, so that two loads that overlap wait for each other and never deadlock. Fewer rows than asked
-- means that another load was first: the chunk is then done anew from its start.
INSERT INTO person_key (id_no_index, person_id)
SELECT n.id_no_index, n.person_id
FROM unnest($1::bytea[], $2::bigint[]) AS n(id_no_index, person_id)
ORDER BY n.id_no_index
ON CONFLICT DO NOTHING;
