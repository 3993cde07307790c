-- Each time that this database was put back from a backup, see common/outbox/restore.h.
CREATE TABLE restored (
  restore_id   text PRIMARY KEY CHECK (restore_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  epoch        smallint NOT NULL UNIQUE CHECK (epoch BETWEEN 1 AND 9),  -- that began with it
  kept_through bigint NOT NULL CHECK (kept_through >= 0),  -- number of the former epoch that the log had for sure
  restored_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON restored TO :app;
