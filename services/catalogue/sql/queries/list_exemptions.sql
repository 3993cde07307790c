-- Those in force first; the key of the page is (not in force, id). What lies outside of the caller's scope is not there.
SELECT exemption_id, district, field, coalesce(policy_id, ''), reason, valid_from, valid_to, state, requested_by
FROM exemption
WHERE ($1::integer = 0 OR district = $1)
  AND ($2::boolean OR district = ANY($3::integer[])) AND ($4::boolean OR field = ANY($5::text[]))
  AND ((NOT (state = 2 AND $6 BETWEEN valid_from AND valid_to))::integer, exemption_id) > ($7::integer, $8)
ORDER BY (NOT (state = 2 AND $6 BETWEEN valid_from AND valid_to))::integer, exemption_id LIMIT $9
