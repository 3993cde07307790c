-- Part of the numbers that we give to files.
SELECT epoch FROM restore_epoch
