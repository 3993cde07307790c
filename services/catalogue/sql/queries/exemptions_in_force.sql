-- What may lift the demand for the card on a day.
SELECT exemption_id, district, field, coalesce(policy_id, ''), reason, valid_from, valid_to, state, requested_by
FROM exemption WHERE district = $1 AND field = $2 AND state = 2 AND $3 BETWEEN valid_from AND valid_to ORDER BY exemption_id
