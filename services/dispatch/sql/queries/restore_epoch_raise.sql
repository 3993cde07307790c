-- After a restore from a backup, before the first write. Serials begin anew, since the epoch stands before them.
-- no district: one epoch for the whole database.
WITH raised AS (UPDATE restore_epoch SET epoch = epoch + 1 RETURNING epoch),
anew AS (UPDATE district_counter SET next_batch = 1, next_serial = 1)
SELECT epoch FROM raised
