-- Locked until the file is committed; another packer passes over them, so a chunk is in one file only.
SELECT submission_id, request_id, row_count, total_fen, summary
FROM submission
WHERE agreement_no = $1 AND file_id IS NULL
ORDER BY submission_id
LIMIT $2
FOR UPDATE SKIP LOCKED
