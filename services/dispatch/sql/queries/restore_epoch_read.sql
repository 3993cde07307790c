-- Names the producer of audit entries. no district: one epoch for the whole database.
SELECT epoch FROM restore_epoch
