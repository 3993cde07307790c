-- What money given back was for, or that it is none of ours.
UPDATE arrival SET state = $3::smallint, recovery_id = $4::bigint, decided_by = $5::text, decision = $6::text
WHERE district = $1::integer AND arrival_id = $2::bigint AND state = 1
