-- The case that an earlier word of this person's death opened.
SELECT case_id FROM recovery_case
WHERE district = $1::integer AND person_id = $2::bigint AND cause = 1 AND opened_by = ''
