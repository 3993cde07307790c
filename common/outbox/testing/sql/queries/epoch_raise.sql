-- The same.
UPDATE numbering SET restore_epoch = restore_epoch + 1 RETURNING restore_epoch
