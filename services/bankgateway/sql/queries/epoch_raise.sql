-- After a restore, before the first start: no number of the lost timeline is ever used again.
UPDATE restore_epoch SET epoch = epoch + 1 RETURNING epoch
