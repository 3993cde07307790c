-- Of two decisions one comes second and finds it decided.
SELECT exemption_id, district, field, coalesce(policy_id, ''), reason, valid_from, valid_to, state, requested_by
FROM exemption WHERE exemption_id = $1 FOR UPDATE
