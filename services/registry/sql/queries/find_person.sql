-- Scope stands here: who lives elsewhere does not exist for this caller.
SELECT p.person_id, p.name_cipher, p.id_no_cipher, p.born_on, p.died_on, p.village_code, p.household_id, p.household_role,
  p.card_state, p.card_bank_code, p.legacy_bank_code, a.card_last4, a.legacy_last4, p.account_version, p.has_alias
FROM person_key k
JOIN person o ON o.person_id = k.person_id
JOIN person p ON p.person_id = coalesce(o.merged_into, o.person_id)
JOIN account a ON a.person_id = p.person_id AND a.account_version = p.account_version
WHERE k.id_no_index = $1 AND ($2::boolean OR p.district = ANY ($3::integer[]));
