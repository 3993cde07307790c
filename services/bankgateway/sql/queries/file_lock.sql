-- Each step begins by locking its row with its own fence: who finds nothing has lost the lease.
SELECT district, agreement_no, bank_code, row_count, total_fen, state, final_rows
FROM file WHERE file_id = $1 AND fence = $2 FOR UPDATE
