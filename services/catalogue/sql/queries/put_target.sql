-- A target may be set anew until it is approved; an approved one finds no row to change.
INSERT INTO performance_target (policy_id, district, year, target_people, target_fen, goal, approved, set_by, approved_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (policy_id, district, year) DO UPDATE
SET target_people = excluded.target_people, target_fen = excluded.target_fen, goal = excluded.goal,
    approved = excluded.approved, set_by = excluded.set_by, approved_by = excluded.approved_by
WHERE NOT performance_target.approved
