-- Every edge that the policy is part of, by either end.
SELECT exclusion_id, policy_a, policy_b, slot_unit, key_kind, basis FROM exclusion
WHERE policy_a = $1 OR policy_b = $1 ORDER BY exclusion_id
