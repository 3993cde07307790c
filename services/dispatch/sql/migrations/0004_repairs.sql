-- Repairs: wrong payments that are taken back, money that people give back, missed amounts that are paid after all, corrected
-- batches. All of it is rare beside payments: nothing here is a row for each payment.

-- Recoveries and arrivals are numbered by their district, as batches are.
ALTER TABLE district_counter ADD COLUMN next_recovery bigint NOT NULL DEFAULT 1 CHECK (next_recovery <= 10000000);

-- Which earlier batch a batch goes back to: one that it corrects (1), whose place it takes, or one that it tops up (2).
CREATE TABLE batch_origin (
  district     integer NOT NULL,
  batch_id     bigint NOT NULL,
  kind         smallint NOT NULL CHECK (kind IN (1, 2)),
  of_batch     bigint NOT NULL,
  PRIMARY KEY (district, batch_id),
  FOREIGN KEY (district, batch_id) REFERENCES batch
);
-- A batch is corrected once.
CREATE UNIQUE INDEX batch_origin_corrected ON batch_origin (district, of_batch) WHERE kind = 1;

-- Which item an item of a top-up batch is tied to. `ordinal` counts the top-ups of one item, and is part of its slot.
CREATE TABLE top_up (
  district   integer NOT NULL,
  item_id    bigint NOT NULL,
  batch_id   bigint NOT NULL,
  of_item    bigint NOT NULL,
  ordinal    integer NOT NULL CHECK (ordinal > 0),
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  PRIMARY KEY (district, item_id),
  UNIQUE (district, of_item, ordinal)
);

-- Why wrong payments of one person are taken back: one case, and under it one recovery for each payment.
CREATE TABLE recovery_case (
  district      integer NOT NULL,
  case_id       bigint NOT NULL,
  person_id     bigint NOT NULL,
  cause         smallint NOT NULL,       -- yikatong.dispatch.v1.RecoveryCause
  died_on       date,                    -- of a death that the registry told
  change_number bigint NOT NULL DEFAULT 0,  -- number of that change in the registry's feed
  reason        text NOT NULL,
  opened_by     text NOT NULL,           -- empty: this service
  opened_on     date NOT NULL,
  PRIMARY KEY (district, case_id)
);
-- A death opens one case for the person, however often and with whatever date it is told.
CREATE UNIQUE INDEX recovery_case_of_death ON recovery_case (district, person_id) WHERE cause = 1 AND opened_by = '';

CREATE TABLE recovery (
  district       integer NOT NULL,
  recovery_id    bigint NOT NULL,        -- (district % 10000) * 10^8 + restore epoch * 10^7 + number
  case_id        bigint NOT NULL,
  batch_id       bigint NOT NULL,
  item_id        bigint NOT NULL,
  cause          smallint NOT NULL,      -- as its case's
  state          smallint NOT NULL,      -- yikatong.dispatch.v1.RecoveryState
  due_fen        bigint NOT NULL CHECK (due_fen > 0),
  received_fen   bigint NOT NULL DEFAULT 0 CHECK (received_fen BETWEEN 0 AND due_fen),
  reason         text NOT NULL,
  opened_by      text NOT NULL,
  opened_on      date NOT NULL,
  approved_by    text NOT NULL DEFAULT '',
  notice         text NOT NULL DEFAULT '',   -- how the person was told
  due_on         date,                       -- until when the person has time
  document       text NOT NULL DEFAULT '',   -- what a write-off is based on
  write_off_by   text NOT NULL DEFAULT '',   -- who asked for it
  decided_by     text NOT NULL DEFAULT '',   -- who ended it
  decision       text NOT NULL DEFAULT '',   -- why it ended so
  state_since_on date NOT NULL,
  PRIMARY KEY (district, recovery_id),
  FOREIGN KEY (district, case_id) REFERENCES recovery_case
);
-- One at a time for each payment.
CREATE UNIQUE INDEX recovery_open_of_item ON recovery (district, item_id) WHERE state BETWEEN 1 AND 4;
CREATE INDEX recovery_of_item ON recovery (district, item_id);
CREATE INDEX recovery_of_batch ON recovery (district, batch_id, recovery_id);

-- Money that came back for a recovery. A bank's receipt counts once.
CREATE TABLE recovery_receipt (
  district    integer NOT NULL,
  receipt     text NOT NULL,
  recovery_id bigint NOT NULL,
  batch_id    bigint NOT NULL,
  item_id     bigint NOT NULL,
  amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
  received_on date NOT NULL,
  recorded_by text NOT NULL,
  recorded_on date NOT NULL,
  PRIMARY KEY (district, receipt),
  FOREIGN KEY (district, recovery_id) REFERENCES recovery
);
CREATE INDEX recovery_receipt_of_recovery ON recovery_receipt (district, recovery_id);

-- Money that somebody gave back of their own accord, until a department says what it was paid for.
CREATE TABLE arrival (
  district    integer NOT NULL,
  arrival_id  bigint NOT NULL,           -- numbered among the recoveries
  receipt     text NOT NULL,
  amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
  arrived_on  date NOT NULL,
  note        text NOT NULL,
  state       smallint NOT NULL,         -- yikatong.dispatch.v1.ArrivalState
  recorded_by text NOT NULL,
  recorded_on date NOT NULL,
  recovery_id bigint NOT NULL DEFAULT 0,
  decided_by  text NOT NULL DEFAULT '',
  decision    text NOT NULL DEFAULT '',
  PRIMARY KEY (district, arrival_id),
  UNIQUE (district, receipt)
);
CREATE INDEX arrival_open ON arrival (district, arrival_id) WHERE state = 1;

-- People whose records were merged, both ways: a death is told of one of them, and items name either.
CREATE TABLE merged_person (
  person_id bigint NOT NULL,
  other_id  bigint NOT NULL,
  PRIMARY KEY (person_id, other_id)
);

-- Batches that may have paid somebody who was dead already; a row for each batch, not for each payment.
CREATE INDEX batch_paid_by_creation ON batch (created_on) WHERE state IN (7, 8, 9);
-- Chunks that wait for a person.
CREATE INDEX chunk_aside ON chunk (district, batch_id, chunk) WHERE stage = 9;

-- From which business date on an item needs a repair; no value in rows of earlier releases.
ALTER TABLE exception ADD COLUMN since_on date;
ALTER TABLE applied_chunk ADD COLUMN applied_on date;
ALTER TABLE chunk ADD COLUMN aside_on date;

GRANT SELECT, INSERT ON batch_origin, top_up, recovery_case, recovery_receipt, merged_person TO :app;
GRANT SELECT, INSERT, UPDATE ON recovery, arrival TO :app;
