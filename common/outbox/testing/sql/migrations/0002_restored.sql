-- A service that numbers something, and was put back from a backup.
-- include common/outbox/sql/restored_v1.sql
CREATE TABLE numbering (restore_epoch smallint NOT NULL);
INSERT INTO numbering VALUES (1);
GRANT SELECT, UPDATE ON numbering TO :app;
