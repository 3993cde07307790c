-- The feed's rows of one chunk, in the order of their numbers.
INSERT INTO change (number, kind, person_id, happened_on, account_version, other_person_id, recorded_at)
SELECT n.number, n.kind, n.person_id, n.happened_on, n.account_version, n.other_person_id, $7::timestamptz
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::date[], $5::bigint[], $6::bigint[])
  AS n(number, kind, person_id, happened_on, account_version, other_person_id);
