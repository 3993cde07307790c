-- The lock of this row is held until the commit: whoever has a lower number has committed before. It is the last
-- statement but two of a chunk of changes, and nothing else of the registry waits for it.
UPDATE numbering SET last_change = greatest(last_change, restore_epoch::bigint * 1000000000000) + $1
RETURNING last_change;
