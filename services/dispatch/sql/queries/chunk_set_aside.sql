-- Three failures: out of everybody's way, with its reason, until a person has looked.
UPDATE chunk SET worker = '', stage = 9, why = $5::text, aside_on = $6::date
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND fence = $4::bigint
