-- For routing: the choice needs no ciphertext, and one row for each payee (a beneficiary who is the payee is NULL here). `p` is
-- the record that the id names, `m` the one that stands for the person after a merge (nearly never: a NULL key costs no
-- look-up).
SELECT n.i,
  p.person_id, p.died_on, p.account_version, p.card_state, p.card_bank_code, p.legacy_kind, p.legacy_bank_code,
  m.person_id, m.died_on, m.account_version, m.card_state, m.card_bank_code, m.legacy_kind, m.legacy_bank_code,
  b.person_id, b.died_on
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS n(payee, beneficiary, i)
JOIN person p ON p.person_id = n.payee
LEFT JOIN person m ON m.person_id = p.merged_into
LEFT JOIN person c ON c.person_id = n.beneficiary
LEFT JOIN person b ON b.person_id = coalesce(c.merged_into, c.person_id);
