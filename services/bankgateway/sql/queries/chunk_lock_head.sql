-- The lease of the numberer, for one transaction.
SELECT number FROM outcome_head FOR UPDATE SKIP LOCKED
