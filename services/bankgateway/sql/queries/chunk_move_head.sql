-- In the transaction that numbered them.
UPDATE outcome_head SET number = number + $1 RETURNING number
