-- A person's wrong payments under one cause.
INSERT INTO recovery_case (district, case_id, person_id, cause, died_on, change_number, reason, opened_by, opened_on)
VALUES ($1::integer, $2::bigint, $3::bigint, $4::smallint, $5::date, $6::bigint, $7::text, $8::text, $9::date)
