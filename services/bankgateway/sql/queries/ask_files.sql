-- Files of a bank with rows that nothing final is known of after some days, not asked about today.
SELECT file_id, state, sent_on FROM file
WHERE bank_code = $1 AND state IN (2, 3) AND sent_on <= $2 AND final_rows < row_count
  AND (asked_on IS NULL OR asked_on < $3)
ORDER BY sent_on, file_number LIMIT 20
