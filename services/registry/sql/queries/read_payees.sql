-- For routing: the choice needs no ciphertext, and one row for each payee (a beneficiary who is the payee is NULL here).
SELECT n.i, p.person_id, p.died_on, p.account_version, p.card_state, p.card_bank_code, p.legacy_kind, p.legacy_bank_code,
  b.person_id, b.died_on
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS n(payee, beneficiary, i)
JOIN person o ON o.person_id = n.payee
JOIN person p ON p.person_id = coalesce(o.merged_into, o.person_id)
LEFT JOIN person c ON c.person_id = n.beneficiary
LEFT JOIN person b ON b.person_id = coalesce(c.merged_into, c.person_id);
