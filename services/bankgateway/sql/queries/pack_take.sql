-- Locked until the file is committed; another packer passes over them, so a chunk is in one file only.
SELECT submission_id, request_id, row_count - withheld, total_fen - withheld_fen, summary, withheld > 0
FROM submission
WHERE agreement_no = $1 AND file_id IS NULL AND withheld < row_count
  AND (looked_up_on IS NOT NULL OR NOT EXISTS (SELECT FROM restored WHERE finished_at IS NULL))
ORDER BY submission_id
LIMIT $2
FOR UPDATE SKIP LOCKED
