-- Once only: an objection that is decided stays so.
UPDATE objection SET state = $4::smallint, decided_by = $5::text, decision = $6::text
WHERE district = $1::integer AND batch_id = $2::bigint AND objection_id = $3::bigint AND state = 1
