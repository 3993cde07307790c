-- Ends the session it runs in, as an administrator might.
SELECT pg_terminate_backend(pg_backend_pid())
