-- Reference data, policies and their versions, published lists, the rollout of the card, performance targets, the business
-- date. A few thousand rows: nothing here is hot, so nothing is partitioned.

CREATE TABLE department (
  department_id text PRIMARY KEY CHECK (department_id <> ''),
  name          text NOT NULL CHECK (name <> ''),
  district      integer NOT NULL CHECK (district BETWEEN 100000 AND 999999),
  fields        text[] NOT NULL
);

CREATE TABLE division (
  code       bigint PRIMARY KEY CHECK (code BETWEEN 100000000000 AND 999999999999),
  name       text NOT NULL CHECK (name <> ''),
  district   integer NOT NULL CHECK (district = code / 1000000),
  level      smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
  fictitious boolean NOT NULL
);
CREATE INDEX division_by_district ON division (district, level, code);

CREATE TABLE policy (
  policy_id      text PRIMARY KEY CHECK (policy_id <> ''),
  name_zh        text NOT NULL,
  name_en        text NOT NULL,
  field          text NOT NULL CHECK (field <> ''),
  department_id  text NOT NULL REFERENCES department,
  district       integer NOT NULL,
  slot_unit      text NOT NULL CHECK (slot_unit IN ('MONTH', 'YEAR', 'LIFE')),
  key_kind       text NOT NULL CHECK (key_kind IN ('PERSON', 'HOUSEHOLD', 'PLOT', 'MACHINE', 'CHILD')),
  level          text NOT NULL,
  basis          text NOT NULL,
  confidence     text NOT NULL CHECK (confidence IN ('A', 'B', 'C')),
  region         text NOT NULL,
  latest_version integer NOT NULL DEFAULT 0,
  -- Rises with every change of the policy, its versions or its exclusions: caches are keyed by it.
  revision       bigint NOT NULL DEFAULT 1
);
CREATE INDEX policy_by_district ON policy (district, policy_id);

CREATE TABLE policy_version (
  policy_id        text NOT NULL REFERENCES policy,
  version          integer NOT NULL CHECK (version > 0),
  state            smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
  effective_from   date,
  end_on           date,
  rules            text NOT NULL,  -- canonical JSON, see store/rules_json.h
  submitted_by     text NOT NULL DEFAULT '',
  approved_at      timestamptz,
  published_on     date,
  rejection_reason text NOT NULL DEFAULT '',
  revision         bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (policy_id, version),
  CHECK (end_on IS NULL OR effective_from IS NULL OR end_on >= effective_from),
  -- Whatever left the draft has a date; approval and publication leave their traces.
  CHECK (state IN (1, 5) OR effective_from IS NOT NULL),
  CHECK ((state IN (3, 4)) = (approved_at IS NOT NULL)),
  CHECK ((state = 4) = (published_on IS NOT NULL))
);
-- Two approved versions never begin on one day: what is in force is always one.
CREATE UNIQUE INDEX policy_version_in_force ON policy_version (policy_id, effective_from) WHERE state IN (3, 4);
CREATE INDEX policy_version_unpublished ON policy_version (effective_from, policy_id) WHERE state = 3;

CREATE TABLE exclusion (
  exclusion_id text PRIMARY KEY CHECK (exclusion_id = policy_a || '~' || policy_b),
  policy_a     text NOT NULL REFERENCES policy,
  policy_b     text NOT NULL REFERENCES policy,
  slot_unit    text NOT NULL,
  key_kind     text NOT NULL,
  basis        text NOT NULL
);
CREATE INDEX exclusion_by_a ON exclusion (policy_a);
CREATE INDEX exclusion_by_b ON exclusion (policy_b);

CREATE TABLE published_list (
  district     integer NOT NULL,
  edition      integer NOT NULL CHECK (edition > 0),
  published_on date NOT NULL,
  sha256       bytea NOT NULL CHECK (length(sha256) = 32),
  entry_count  integer NOT NULL,
  PRIMARY KEY (district, edition)
);

-- Approved rules never change, so naming the version is enough to show the list as it was.
CREATE TABLE published_entry (
  district  integer NOT NULL,
  edition   integer NOT NULL,
  policy_id text NOT NULL,
  version   integer NOT NULL,
  PRIMARY KEY (district, edition, policy_id),
  FOREIGN KEY (district, edition) REFERENCES published_list,
  FOREIGN KEY (policy_id, version) REFERENCES policy_version
);

CREATE TABLE rollout_stage (
  ordinal   integer PRIMARY KEY,
  from_date date NOT NULL,
  districts integer[] NOT NULL,
  fields    text[] NOT NULL,
  basis     text NOT NULL
);

CREATE TABLE exemption (
  exemption_id text PRIMARY KEY,
  district     integer NOT NULL,
  field        text NOT NULL,
  policy_id    text REFERENCES policy,
  reason       text NOT NULL CHECK (reason <> ''),
  valid_from   date NOT NULL,
  valid_to     date NOT NULL CHECK (valid_to >= valid_from),
  state        smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
  requested_by text NOT NULL,
  decided_by   text NOT NULL DEFAULT ''
);
CREATE INDEX exemption_by_scope ON exemption (district, field, valid_to);

CREATE TABLE performance_target (
  policy_id     text NOT NULL REFERENCES policy,
  district      integer NOT NULL,
  year          integer NOT NULL,
  target_people bigint NOT NULL CHECK (target_people > 0),
  target_fen    bigint NOT NULL CHECK (target_fen > 0),
  goal          text NOT NULL,
  approved      boolean NOT NULL,
  set_by        text NOT NULL,
  approved_by   text NOT NULL DEFAULT '',
  PRIMARY KEY (policy_id, district, year),
  -- By two persons.
  CHECK (NOT approved OR (approved_by <> '' AND approved_by <> set_by))
);

-- One row at most: the business date of an installation whose clock can be moved.
CREATE TABLE business_date (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  today    date NOT NULL
);

-- The first answer to every mutation, by the caller's own id.
CREATE TABLE request (
  organisation text NOT NULL,
  request_id   text NOT NULL,
  method       text NOT NULL,
  sha256       bytea NOT NULL CHECK (length(sha256) = 32),
  answer       bytea,  -- NULL only inside the transaction that works on it
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation, request_id)
);

GRANT SELECT, INSERT, UPDATE ON department, division, policy, policy_version, exemption, performance_target,
  business_date, request TO :app;
GRANT SELECT, INSERT ON exclusion, published_list, published_entry TO :app;
GRANT SELECT, INSERT, DELETE ON rollout_stage TO :app;
