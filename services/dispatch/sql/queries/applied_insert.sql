-- Remembers which leaves the audit entry of an applied chunk commits to, so that each can be proved later.
INSERT INTO applied_chunk (number, district, item_references, states, applied_on, audit_id)
VALUES ($1::bigint, $2::integer, $3::bigint[], $4::smallint[], $5::date, $6::uuid)
