-- As read_payees, with the ciphertexts of the present account version: what is judged and what is sealed are one snapshot.
SELECT n.i,
  p.person_id, p.died_on, p.account_version, p.card_state, p.card_bank_code, p.legacy_kind, p.legacy_bank_code,
  m.person_id, m.died_on, m.account_version, m.card_state, m.card_bank_code, m.legacy_kind, m.legacy_bank_code,
  b.person_id, b.died_on,
  coalesce(m.name_cipher, p.name_cipher), a.card_account_cipher, a.card_account_name_cipher, a.legacy_account_cipher,
  CASE WHEN NOT $3::boolean THEN NULL WHEN p.merged_into IS NULL THEN p.id_no_cipher ELSE m.id_no_cipher END,
  CASE WHEN NOT $3::boolean THEN NULL WHEN p.merged_into IS NULL THEN p.phone_cipher ELSE m.phone_cipher END
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS n(payee, beneficiary, i)
JOIN person p ON p.person_id = n.payee
LEFT JOIN person m ON m.person_id = p.merged_into
JOIN account a ON a.person_id = coalesce(m.person_id, p.person_id)
  AND a.account_version = coalesce(m.account_version, p.account_version)
LEFT JOIN person c ON c.person_id = n.beneficiary
LEFT JOIN person b ON b.person_id = coalesce(c.merged_into, c.person_id);
