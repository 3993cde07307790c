-- Reconciliation as work: every difference is a case with an owner, a due day and a decision; what a statement booked that is
-- no payment of ours stands in a small ledger by agreement until it is cleared. Rows are few: one a difference, none a payment.
SET LOCAL lock_timeout = '5s';

-- state: 1 open, 2 assigned, 3 decision proposed, 4 waiting for the bank, 5 closed, 6 reopened (domain/cases.h).
CREATE TABLE reconciliation_case (
  case_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agreement_no   text NOT NULL,     -- empty: of no agreement that we know
  bank_code      text NOT NULL REFERENCES bank,
  district       integer NOT NULL,
  kind           text NOT NULL,
  subject        text NOT NULL,     -- the reference, the file, the day: what there is one open case for
  reference      bigint NOT NULL,   -- 0: of no single payment
  day            date NOT NULL,     -- of the statement, or on which it was reported
  state          smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
  priority       smallint NOT NULL CHECK (priority BETWEEN 1 AND 3),
  owner          text NOT NULL DEFAULT '',  -- empty: the district's finance
  opened_on      date NOT NULL,
  due_on         date,              -- unknown while the calendar of the year is
  closed_on      date,
  occurrences    integer NOT NULL CHECK (occurrences > 0),
  statement_fen  bigint NOT NULL,   -- of all occurrences
  book_fen       bigint NOT NULL,
  open_fen       bigint NOT NULL DEFAULT 0,  -- claimed from the bank; below 0: owed to it
  events         integer NOT NULL DEFAULT 0,
  asked_on       date,              -- when the bank was last asked about it
  decision       smallint NOT NULL DEFAULT 0,
  reason         text NOT NULL DEFAULT '',
  evidence       bytea CHECK (length(evidence) = 32),
  matched_case   bigint REFERENCES reconciliation_case,
  proposed_by    text NOT NULL DEFAULT '',
  decided_by     text NOT NULL DEFAULT '',
  CHECK ((state = 5) = (closed_on IS NOT NULL)),
  CHECK (state <> 5 OR open_fen = 0)  -- money that is not cleared keeps its case open
);
CREATE UNIQUE INDEX case_open ON reconciliation_case (bank_code, agreement_no, kind, subject) WHERE state <> 5;
CREATE INDEX case_of_reference ON reconciliation_case (reference) WHERE reference <> 0;
CREATE INDEX case_of_district ON reconciliation_case (district, case_id);
CREATE INDEX case_to_ask ON reconciliation_case (bank_code) WHERE state = 4;

-- The history of a case; only ever appended to.
CREATE TABLE case_event (
  case_id    bigint NOT NULL REFERENCES reconciliation_case,
  event_no   integer NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  on_day     date NOT NULL,
  what       text NOT NULL,
  from_state smallint NOT NULL,  -- 0: none before
  to_state   smallint NOT NULL,
  actor      text NOT NULL,      -- empty: the service itself
  decision   smallint NOT NULL DEFAULT 0,
  amount_fen bigint NOT NULL DEFAULT 0,
  note       text NOT NULL DEFAULT '',
  PRIMARY KEY (case_id, event_no)
);

-- What differs, in double entry, for each agreement and statement day: 1 our account at the bank, 2 payments, 3 claim on the
-- bank, 4 owed to the bank, 5 between two days. A leg on 3 or 4 names its case, so that a case's money is the sum of its legs.
CREATE TABLE suspense_entry (
  entry_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agreement_no text NOT NULL REFERENCES agreement,
  district     integer NOT NULL,
  day          date NOT NULL,
  debit        smallint NOT NULL CHECK (debit BETWEEN 1 AND 5),
  debit_case   bigint REFERENCES reconciliation_case,
  credit       smallint NOT NULL CHECK (credit BETWEEN 1 AND 5),
  credit_case  bigint REFERENCES reconciliation_case,
  amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
  step         text NOT NULL,
  posted_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (debit <> credit),
  CHECK ((debit IN (3, 4)) = (debit_case IS NOT NULL)),
  CHECK ((credit IN (3, 4)) = (credit_case IS NOT NULL))
);
CREATE INDEX suspense_by_day ON suspense_entry (agreement_no, day);

-- Lines under the reference of a payment that are none of its own: they paid a case, or reversed what was no payment.
CREATE TABLE line_apart (
  district     integer NOT NULL,
  reference    bigint NOT NULL,
  statement_id bigint NOT NULL,
  line         bigint NOT NULL,
  PRIMARY KEY (district, reference, statement_id, line)
);

ALTER TABLE difference ADD COLUMN case_id bigint REFERENCES reconciliation_case;  -- none: found before there were cases

GRANT SELECT, INSERT, UPDATE ON reconciliation_case TO :app;
GRANT SELECT, INSERT ON case_event, suspense_entry, line_apart TO :app;
