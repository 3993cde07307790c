-- Both keys speak: each step once, and nobody twice.
INSERT INTO review (district, batch_id, step_no, step, person, approved, comment, late, taken_on, at)
VALUES ($1::integer, $2::bigint, $3::integer, $4::text, $5::text, $6::boolean, $7::text, $8::boolean, $9::date,
        $10::timestamptz)
