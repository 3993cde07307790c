-- The number comes from the locked policy.
INSERT INTO policy_version (policy_id, version, state, effective_from, end_on, rules) VALUES ($1, $2, $3, $4, $5, $6)
