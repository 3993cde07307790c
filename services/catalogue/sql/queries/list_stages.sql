-- The schedule by date.
SELECT from_date, array_to_string(districts, ','), array_to_string(fields, ','), basis FROM rollout_stage ORDER BY ordinal
