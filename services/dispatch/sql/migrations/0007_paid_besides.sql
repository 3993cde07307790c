-- Attempts that a bank had paid, as two persons decided, after their item was sent again or given up: the money is taken back
-- by a recovery that names the attempt, and charged to the batch's lines when it leaves PROPOSED.
ALTER TABLE recovery ADD COLUMN reference bigint NOT NULL DEFAULT 0;  -- 0: the item's payment itself
-- One at a time for each payment, and one for all times for each attempt paid besides.
DROP INDEX recovery_open_of_item;
CREATE UNIQUE INDEX recovery_open_of_item ON recovery (district, item_id) WHERE state BETWEEN 1 AND 4 AND reference = 0;
CREATE UNIQUE INDEX recovery_of_reference ON recovery (district, reference) WHERE reference <> 0;
