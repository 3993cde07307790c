-- One appender at a time, over all replicas: the tree has one next leaf. The lock ends with the transaction.
SELECT pg_advisory_xact_lock(7262112043509870641)
