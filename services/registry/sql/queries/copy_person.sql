-- COPY because a load is bound by the server's work for each row; keys are settled before (insert_person_keys).
COPY person (person_id, born_on, died_on, village_code, household_id, account_version, registered_at, district, sex,
  household_role, card_state, legacy_kind, card_bank_code, legacy_bank_code, id_no_cipher, name_cipher, phone_cipher,
  guardian_no_index, load_mac)
FROM STDIN (FORMAT binary);
