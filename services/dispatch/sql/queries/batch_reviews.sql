-- The steps that were taken, in order.
SELECT step, person, at, taken_on, approved, comment, late FROM review
WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY step_no
