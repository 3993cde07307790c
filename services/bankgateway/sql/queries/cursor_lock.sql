-- Whoever writes outcomes of a bank holds this row: two writers would give one reference two outcomes of one number. With it: whether
-- this database was ever put back from a backup, and which restore is open.
SELECT result_cursor, EXISTS (SELECT FROM restored),
       coalesce((SELECT restore_id FROM restored WHERE finished_at IS NULL ORDER BY epoch DESC LIMIT 1), '')
FROM bank WHERE bank_code = $1 FOR UPDATE
