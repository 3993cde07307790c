-- All that the rules of life_events.h ask of people; read under their locks, by a statement of its own, since a row that
-- changed while its lock was waited for would otherwise miss its account.
SELECT p.person_id, p.born_on, p.died_on, p.residence_since, p.card_issued_on, p.card_state_on, p.card_name_on,
  p.village_code, p.account_version, p.card_state, p.legacy_kind, p.card_bank_code, p.legacy_bank_code,
  a.card_no_cipher, a.card_account_cipher, a.card_account_name_cipher, a.legacy_account_cipher
FROM unnest($1::bigint[]) AS n(person_id)
JOIN person p ON p.person_id = n.person_id
JOIN account a ON a.person_id = p.person_id AND a.account_version = p.account_version;
