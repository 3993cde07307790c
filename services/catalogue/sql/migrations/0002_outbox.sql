-- What goes to the audit log, and the life signs of the replicas that carry it there.
-- include common/outbox/sql/outbox_v1.sql
-- include common/postgres/sql/worker_heartbeat_v1.sql

-- Raised before the first write after a restore from a backup, so that no number is ever used again.
CREATE TABLE numbering (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  restore_epoch smallint NOT NULL DEFAULT 0 CHECK (restore_epoch BETWEEN 0 AND 9)
);
INSERT INTO numbering DEFAULT VALUES;
GRANT SELECT, UPDATE ON numbering TO :app;
