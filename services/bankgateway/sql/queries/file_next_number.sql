-- Gaps are allowed in the numbers of files.
SELECT nextval('file_number'), (SELECT epoch FROM restore_epoch)
