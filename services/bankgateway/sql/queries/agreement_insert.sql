-- An agreement is written once; only its state changes.
INSERT INTO agreement (agreement_no, district, department_id, bank_code, valid_from, valid_to, credits_other_banks,
                       with_identity, bank_notifies, refuses_duplicates)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (agreement_no) DO NOTHING
