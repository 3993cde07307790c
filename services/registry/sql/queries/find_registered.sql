-- Which numbers of a chunk are registered, and with what content, in one round trip.
SELECT n.i, p.person_id, p.load_mac
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(id_no_index, i)
JOIN person_key k ON k.id_no_index = n.id_no_index
JOIN person p ON p.person_id = k.person_id;
