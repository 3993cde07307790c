-- A page, the newest first, of the caller's districts.
SELECT file_id, district, agreement_no, business_date, row_count, total_fen, state, sha256, reason, changed_at, file_number
FROM file
WHERE file_number < $1 AND ($2 = 0 OR district = $2) AND ($3::boolean OR district = ANY ($4::integer[]))
ORDER BY file_number DESC LIMIT $5
