-- Life signs of workers: one counter row each, written by its worker only, away from the rows they work on.
CREATE TABLE worker_heartbeat (
  worker     text PRIMARY KEY CHECK (length(worker) BETWEEN 1 AND 64),
  beat       bigint NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_heartbeat TO :app;
