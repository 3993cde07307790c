-- The line of one source; the unique key finds it.
SELECT line_id FROM budget_line
WHERE district = $1::integer AND policy_id = $2::text AND year = $3::integer AND source = $4::text
