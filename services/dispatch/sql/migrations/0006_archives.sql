-- Archives of closed batches. A sealed package is a row of `archive` and the rows of `archive_file`: hashes over records, not a
-- second copy of them. What is only ever appended to, and known again by its keys (roster, refused rows, instructions,
-- outcomes), is read anew when a package is exported and must have the hash that was sealed; what can still change afterwards,
-- or belongs to another service, is kept as bytes. One row for each chunk and part, none for each payment.
SET LOCAL lock_timeout = '5s';

-- A package that is to be made, and how far it is. There is one for each closed batch, and another one whenever something
-- happened after it was sealed. Steps: services/dispatch/domain/archive.h.
CREATE TABLE archive_work (
  district         integer NOT NULL,
  batch_id         bigint NOT NULL,
  run              integer NOT NULL DEFAULT 1,   -- raised where something happened while it was being made: it begins again
  package_no       integer NOT NULL DEFAULT 0,   -- 0: not begun
  step             smallint NOT NULL DEFAULT 0,
  after_id         bigint NOT NULL DEFAULT 0,    -- within the step: the key behind which it goes on
  after_text       text NOT NULL DEFAULT '',
  page             integer NOT NULL DEFAULT 0,   -- files of the step so far, where they are pages
  former_sha256    bytea CHECK (length(former_sha256) = 32),
  chunks_after     integer NOT NULL DEFAULT 0,   -- chunks of work up to this one stand in former packages
  chunks_through   integer NOT NULL DEFAULT 0,
  outcomes_after   bigint NOT NULL DEFAULT 0,    -- outcomes that the gateway told up to this number do
  outcomes_through bigint NOT NULL DEFAULT 0,
  last_paid_on     date,
  due_at           timestamptz NOT NULL DEFAULT now(),
  fence            bigint NOT NULL DEFAULT 0,
  worker           text NOT NULL DEFAULT '',     -- who makes it: worker/slot
  taken            integer NOT NULL DEFAULT 0,   -- times taken since it last went on
  not_before       timestamptz NOT NULL DEFAULT now(),
  why              text NOT NULL DEFAULT '',     -- why it was put back
  PRIMARY KEY (district, batch_id),
  FOREIGN KEY (district, batch_id) REFERENCES batch
);

-- A sealed package. Written once: the service may neither change nor delete it.
CREATE TABLE archive (
  district         integer NOT NULL,
  batch_id         bigint NOT NULL,
  package_no       integer NOT NULL CHECK (package_no > 0),
  run              integer NOT NULL,
  chunks_after     integer NOT NULL,
  chunks_through   integer NOT NULL CHECK (chunks_through >= chunks_after),
  outcomes_after   bigint NOT NULL,
  outcomes_through bigint NOT NULL CHECK (outcomes_through >= outcomes_after),
  closed_on        date NOT NULL,
  sealed_on        date NOT NULL CHECK (sealed_on >= closed_on),
  sealed_at        timestamptz NOT NULL DEFAULT now(),
  last_paid_on     date,
  keep_until       date NOT NULL CHECK (keep_until > sealed_on),
  manifest         bytea NOT NULL,
  manifest_sha256  bytea NOT NULL CHECK (length(manifest_sha256) = 32),
  former_sha256    bytea CHECK (length(former_sha256) = 32),
  files            bigint NOT NULL CHECK (files > 0),
  records          bigint NOT NULL CHECK (records >= files),
  bytes            bigint NOT NULL CHECK (bytes > 0),
  audit_id         uuid NOT NULL,                -- the outbox entry that commits to the manifest
  PRIMARY KEY (district, batch_id, package_no),
  FOREIGN KEY (district, batch_id) REFERENCES batch,
  CHECK ((package_no = 1) = (former_sha256 IS NULL))
);

-- One file of records of a package. Those of a run that was given up belong to no package.
CREATE TABLE archive_file (
  district   integer NOT NULL,
  batch_id   bigint NOT NULL,
  package_no integer NOT NULL,
  run        integer NOT NULL,
  part       smallint NOT NULL,                  -- services/dispatch/domain/archive.h
  file_no    integer NOT NULL CHECK (file_no > 0),  -- the chunk, or the page
  records    integer NOT NULL CHECK (records > 0),
  byte_size  integer NOT NULL CHECK (byte_size > 0),
  sha256     bytea NOT NULL CHECK (length(sha256) = 32),
  bytes      bytea CHECK (length(bytes) = byte_size),  -- NULL: read anew from the books
  PRIMARY KEY (district, batch_id, package_no, run, part, file_no)
);

-- Batches that were closed before there were archives.
INSERT INTO archive_work (district, batch_id) SELECT district, batch_id FROM batch WHERE state = 9;

GRANT SELECT, INSERT, UPDATE, DELETE ON archive_work TO :app;
GRANT SELECT, INSERT ON archive, archive_file TO :app;
