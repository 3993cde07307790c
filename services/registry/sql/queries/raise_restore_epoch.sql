-- After a restore from a backup, before the first write: what the lost timeline numbered is not numbered again.
UPDATE numbering SET restore_epoch = restore_epoch + 1 RETURNING restore_epoch;
