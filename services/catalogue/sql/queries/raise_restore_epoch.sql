-- Above 9 the check refuses: the epoch has one digit.
UPDATE numbering SET restore_epoch = restore_epoch + 1 RETURNING restore_epoch
