-- Names the producer of audit entries.
SELECT restore_epoch FROM numbering;
