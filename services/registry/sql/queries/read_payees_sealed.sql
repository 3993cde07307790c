-- As read_payees, with the ciphertexts of the present account version: what is judged and what is sealed are one snapshot.
SELECT n.i, p.person_id, p.died_on, p.account_version, p.card_state, p.card_bank_code, p.legacy_kind, p.legacy_bank_code,
  b.person_id, b.died_on, p.name_cipher, a.card_account_cipher, a.card_account_name_cipher, a.legacy_account_cipher,
  CASE WHEN $3::boolean THEN p.id_no_cipher END, CASE WHEN $3::boolean THEN p.phone_cipher END
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS n(payee, beneficiary, i)
JOIN person o ON o.person_id = n.payee
JOIN person p ON p.person_id = coalesce(o.merged_into, o.person_id)
JOIN account a ON a.person_id = p.person_id AND a.account_version = p.account_version
LEFT JOIN person c ON c.person_id = n.beneficiary
LEFT JOIN person b ON b.person_id = coalesce(c.merged_into, c.person_id);
