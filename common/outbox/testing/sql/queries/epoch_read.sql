-- As every service with numbers has it.
SELECT restore_epoch FROM numbering
