-- For the gauges: versions by state, and those whose publication is overdue on a day.
SELECT state, count(*), count(*) FILTER (WHERE state = 3 AND effective_from < $1::date - $2::integer)
FROM policy_version GROUP BY state
