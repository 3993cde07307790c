-- The items of those attempts, for the audit leaf; by the ranges of outcome_targets without the attempt's digits.
SELECT i.item_id, i.person_id, i.village, i.masked_name
FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last)
JOIN item i ON i.district = $1::integer AND i.item_id BETWEEN r.first / 100 AND r.last / 100
