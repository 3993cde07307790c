-- Read by dispatch before it appropriates.
SELECT policy_id, district, year, target_people, target_fen, goal, approved, set_by FROM performance_target
WHERE policy_id = $1 AND district = $2 AND year = $3
