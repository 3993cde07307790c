-- Two records of one person, both ways. no district: people belong to none here.
INSERT INTO merged_person (person_id, other_id) VALUES ($1::bigint, $2::bigint), ($2::bigint, $1::bigint)
ON CONFLICT DO NOTHING
