-- The unique key of policy, year and source decides whether a line is new; the id comes from the district's counter.
INSERT INTO budget_line (district, line_id, policy_id, year, source)
VALUES ($1::integer, $2::bigint, $3::text, $4::integer, $5::text)
ON CONFLICT DO NOTHING
RETURNING line_id
