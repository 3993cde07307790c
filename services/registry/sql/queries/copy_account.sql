-- COPY as for person; version 1 of each in a load.
COPY account (person_id, account_version, recorded_at, card_state, legacy_kind, card_bank_code, card_last4,
  legacy_bank_code, legacy_last4, card_no_cipher, card_account_cipher, card_account_name_cipher, legacy_account_cipher)
FROM STDIN (FORMAT binary);
