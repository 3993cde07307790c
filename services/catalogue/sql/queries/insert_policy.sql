-- Of two that create one policy at the same moment one gets no row back.
INSERT INTO policy (policy_id, name_zh, name_en, field, department_id, district, slot_unit, key_kind, level, basis,
                    confidence, region)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (policy_id) DO NOTHING
