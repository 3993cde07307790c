-- Takes as many seconds as it is told.
SELECT pg_sleep($1::double precision)
