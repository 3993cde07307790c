-- One statement for all people that a chunk changed; their rows are locked.
UPDATE person p
SET died_on = n.died_on, residence_since = n.residence_since, card_issued_on = n.card_issued_on,
  card_state_on = n.card_state_on, card_name_on = n.card_name_on, village_code = n.village_code,
  district = (n.village_code / 1000000)::integer, account_version = n.account_version,
  card_state = n.card_state, card_bank_code = n.card_bank_code
FROM unnest($1::bigint[], $2::date[], $3::date[], $4::date[], $5::date[], $6::date[], $7::bigint[], $8::bigint[],
    $9::smallint[], $10::text[])
  AS n(person_id, died_on, residence_since, card_issued_on, card_state_on, card_name_on, village_code, account_version,
    card_state, card_bank_code)
WHERE p.person_id = n.person_id;
