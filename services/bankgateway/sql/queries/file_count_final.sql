-- Rows that have their first final outcome now; a file is done when all have.
UPDATE file f
SET final_rows = f.final_rows + t.more,
    state = CASE WHEN f.final_rows + t.more = f.row_count AND f.state IN (2, 3) THEN 4 ELSE f.state END,
    changed_at = now()
FROM unnest($1::text[], $2::integer[]) AS t (file_id, more)
WHERE f.file_id = t.file_id
