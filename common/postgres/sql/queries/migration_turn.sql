-- One migrator at a time; asked again and again, since a waiting session would hold a snapshot.
SELECT pg_try_advisory_lock($1)
