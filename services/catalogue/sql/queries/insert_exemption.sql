-- Asked for; another person decides.
INSERT INTO exemption (exemption_id, district, field, policy_id, reason, valid_from, valid_to, state, requested_by)
VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9)
