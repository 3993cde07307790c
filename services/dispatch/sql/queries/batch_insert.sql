-- A batch pinned to its rule for ever.
INSERT INTO batch (district, batch_id, department_id, field, policy_id, policy_version, period, rule, state, declared_count,
                   declared_fen, first_item, salt_key, created_org, created_by, created_on, pay_on, state_since_on)
VALUES ($1::integer, $2::bigint, $3::text, $4::text, $5::text, $6::integer, $7::text, $8::bytea, 1, $9::bigint,
        $10::bigint, $11::bigint, $12::bytea, $13::text, $14::text, $15::date, $16::date, $15::date)
