-- Scope stands here, as in find_person; the head first. No household holds more people than the limit.
SELECT p.person_id, p.name_cipher, p.id_no_cipher, p.born_on, p.died_on, p.village_code, p.household_id, p.household_role,
  p.card_state, p.card_bank_code, p.legacy_bank_code, a.card_last4, a.legacy_last4, p.account_version, p.has_alias
FROM person p
JOIN account a ON a.person_id = p.person_id AND a.account_version = p.account_version
WHERE p.household_id = $1 AND p.merged_into IS NULL AND ($2::boolean OR p.district = ANY ($3::integer[]))
ORDER BY p.household_role = 0, p.household_role, p.person_id
LIMIT 200;
