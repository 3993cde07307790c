-- The submissions of a file with the rows before each; the row locks are ours.
UPDATE submission s SET file_id = $1, file_offset = t.file_offset
FROM unnest($2::bigint[], $3::integer[]) AS t (submission_id, file_offset)
WHERE s.submission_id = t.submission_id AND s.file_id IS NULL
