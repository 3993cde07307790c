-- Two descents of one index: the last number of this epoch, and the newest epoch of the producer.
SELECT
  coalesce((SELECT max(number) FROM entry WHERE producer = $1 AND restore_epoch = $2::smallint), 0),
  coalesce((SELECT max(restore_epoch) FROM entry WHERE producer = $1), 0)
