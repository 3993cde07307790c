-- The review steps of a batch: few, each by another person.
SELECT step_no, step, person, approved, comment, late, taken_on, at FROM review
WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY step_no
