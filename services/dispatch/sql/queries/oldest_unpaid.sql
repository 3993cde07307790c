-- Days since money was released for the batch that has been paying longest.
-- no district: a look over the few batches that are being paid, by any replica.
SELECT coalesce(max($1::date - state_since_on), 0)::bigint FROM batch WHERE state = 7
