-- The key is made of both policies, so the edge stands once.
INSERT INTO exclusion (exclusion_id, policy_a, policy_b, slot_unit, key_kind, basis) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (exclusion_id) DO NOTHING
