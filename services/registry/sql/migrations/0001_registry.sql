-- People, their cards and accounts, what happens to them, and the feed of it.
--
-- No column that names a person, an account, a card or a phone can be read without the keys: `…_cipher` is
-- authenticated encryption bound to table, column and row, `…_index` and `…_mac` are keyed hashes cut to 16 bytes.
-- Everything hot is found by person_id or by such a hash, so each table distributes on the first column of its key.

-- What must never repeat, also after a restore from a backup: the epoch is raised before the first write then.
CREATE TABLE numbering (
  one           boolean PRIMARY KEY DEFAULT true CHECK (one),
  restore_epoch smallint NOT NULL DEFAULT 0 CHECK (restore_epoch BETWEEN 0 AND 9),
  last_change   bigint NOT NULL DEFAULT 0
);
INSERT INTO numbering DEFAULT VALUES;

-- Ids are taken by blocks of 4096, one call for a chunk.
CREATE SEQUENCE id_block;

-- Which person has an ID number. Apart from person, so that each distributes on its own key.
CREATE TABLE person_key (
  id_no_index bytea PRIMARY KEY CHECK (length(id_no_index) = 16),
  person_id   bigint NOT NULL
);

CREATE TABLE household (
  household_no_index bytea PRIMARY KEY CHECK (length(household_no_index) = 16),
  household_id       bigint NOT NULL UNIQUE,
  head_person_id     bigint
);

-- Who a person is, and what holds now. card_… and legacy_… repeat the present version in `account`, so that routing
-- reads one row.
CREATE TABLE person (
  person_id         bigint PRIMARY KEY,
  born_on           date NOT NULL,
  died_on           date CHECK (died_on >= born_on),
  residence_since   date,
  card_issued_on    date,
  card_state_on     date,
  card_name_on      date,
  village_code      bigint NOT NULL,
  household_id      bigint,
  merged_into       bigint CHECK (merged_into <> person_id),
  account_version   bigint NOT NULL,
  registered_at     timestamptz NOT NULL,
  district          integer NOT NULL,
  sex               smallint NOT NULL,
  household_role    smallint NOT NULL,
  card_state        smallint NOT NULL CHECK (card_state BETWEEN 0 AND 5),
  legacy_kind       smallint NOT NULL CHECK (legacy_kind IN (0, 2, 3)),
  has_alias         boolean NOT NULL DEFAULT false,
  card_bank_code    text CHECK (length(card_bank_code) = 12),
  legacy_bank_code  text CHECK (length(legacy_bank_code) = 12),
  id_no_cipher      bytea NOT NULL,
  name_cipher       bytea NOT NULL,
  phone_cipher      bytea,
  guardian_no_index bytea CHECK (length(guardian_no_index) = 16),
  load_mac          bytea NOT NULL CHECK (length(load_mac) = 16),
  CHECK (district = village_code / 1000000),
  CHECK ((legacy_kind = 0) = (legacy_bank_code IS NULL)),
  CHECK (card_state <> 2 OR card_bank_code IS NOT NULL)
) WITH (fillfactor = 90);
CREATE INDEX person_household ON person (household_id) WHERE household_id IS NOT NULL;
CREATE INDEX person_merged_into ON person (merged_into) WHERE merged_into IS NOT NULL;

-- Every version of everybody's accounts, for ever: what was sealed can be named later.
CREATE TABLE account (
  person_id                bigint NOT NULL,
  account_version          bigint NOT NULL CHECK (account_version > 0),
  recorded_at              timestamptz NOT NULL,
  card_state               smallint NOT NULL,
  legacy_kind              smallint NOT NULL,
  card_bank_code           text,
  card_last4               text CHECK (length(card_last4) <= 4),
  legacy_bank_code         text,
  legacy_last4             text CHECK (length(legacy_last4) <= 4),
  card_no_cipher           bytea,
  card_account_cipher      bytea,
  card_account_name_cipher bytea,
  legacy_account_cipher    bytea,
  PRIMARY KEY (person_id, account_version)
);

-- The life of a person, in the order of recording. `kind` is a ChangeKind, or 0 for the load that registered.
CREATE TABLE person_event (
  person_id       bigint NOT NULL,
  event_no        bigint NOT NULL,
  recorded_at     timestamptz NOT NULL,
  happened_on     date NOT NULL,
  kind            smallint NOT NULL CHECK (kind BETWEEN 0 AND 8),
  effective       boolean NOT NULL,          -- false: overtaken when it came, kept for the record
  account_version bigint NOT NULL DEFAULT 0,  -- made by this event
  village_code    bigint NOT NULL DEFAULT 0,  -- of a load or a move
  other_person_id bigint NOT NULL DEFAULT 0,  -- of a merge
  source          text NOT NULL,
  content_cipher  bytea,                     -- what an overtaken event said
  PRIMARY KEY (person_id, event_no)
);

-- The first answer to every chunk of a load.
CREATE TABLE load_chunk (
  load_id     text NOT NULL,
  chunk       integer NOT NULL CHECK (chunk > 0),
  content_mac bytea NOT NULL,
  answered_at timestamptz NOT NULL,
  accepted    integer NOT NULL,
  rejections  text NOT NULL,
  PRIMARY KEY (load_id, chunk)
);

-- Events that were taken, by a keyed hash of source and id (a source may put anything into its ids).
CREATE TABLE applied_event (
  event_index bytea PRIMARY KEY CHECK (length(event_index) = 16),
  content_mac bytea NOT NULL,
  person_id   bigint NOT NULL
);

-- What others follow. Numbers are given under the lock of the one row in `numbering`, held until the commit, so that
-- nothing with a lower number ever commits later.
CREATE TABLE change (
  number          bigint PRIMARY KEY,
  kind            smallint NOT NULL,
  person_id       bigint NOT NULL,
  happened_on     date NOT NULL,
  account_version bigint NOT NULL,
  other_person_id bigint NOT NULL,
  recorded_at     timestamptz NOT NULL
);

CREATE TABLE merge_request (
  request_id       text PRIMARY KEY,
  content_mac      bytea NOT NULL,
  kept_person_id   bigint NOT NULL,
  merged_person_id bigint NOT NULL,
  recorded_at      timestamptz NOT NULL,
  actor            text NOT NULL
);

-- How the counts of a district moved, a row for each chunk that moved them: nobody counts fourteen million people for a
-- report, and no row is hot.
CREATE TABLE count_delta (
  district     integer NOT NULL,
  delta_id     uuid NOT NULL,
  people       bigint NOT NULL,
  living       bigint NOT NULL,
  active_cards bigint NOT NULL,
  legacy_only  bigint NOT NULL,
  PRIMARY KEY (district, delta_id)
);

GRANT SELECT, UPDATE ON numbering TO :app;
GRANT USAGE ON SEQUENCE id_block TO :app;
GRANT SELECT, INSERT ON person_key, account, person_event, load_chunk, applied_event, change, merge_request, count_delta
  TO :app;
GRANT SELECT, INSERT, UPDATE ON household, person TO :app;

-- include common/outbox/sql/outbox_v1.sql
-- include common/postgres/sql/worker_heartbeat_v1.sql
