-- The money behind batches: budget lines and the ledger, chunks of work, attempts and outcomes.

-- Money for one policy, district, year and source. Only reserving and releasing touch a line's row.
CREATE TABLE budget_line (
  district      integer NOT NULL,
  line_id       bigint NOT NULL,
  policy_id     text NOT NULL,
  year          integer NOT NULL,
  source        text NOT NULL,
  available_fen bigint NOT NULL DEFAULT 0 CHECK (available_fen >= 0),
  PRIMARY KEY (district, line_id),
  UNIQUE (district, policy_id, year, source)
);

-- One row is a debit, a credit and an amount, so that an unbalanced entry cannot be written; one row for each chunk,
-- step, source and reason, never for each item. Accounts: 1 appropriation, 2 available, 3 reserved, 4 in_transit, 5 paid,
-- 6 owed_to_treasury.
CREATE TABLE ledger (
  district      integer NOT NULL,
  line_id       bigint NOT NULL,
  entry_id      uuid NOT NULL,
  batch_id      bigint NOT NULL DEFAULT 0,
  chunk         integer NOT NULL DEFAULT 0,
  step          text NOT NULL,
  reason        text NOT NULL DEFAULT '',
  debit         smallint NOT NULL,
  credit        smallint NOT NULL CHECK (credit <> debit),
  amount_fen    bigint NOT NULL CHECK (amount_fen > 0),
  business_date date NOT NULL,
  at            timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (district, line_id, entry_id),
  FOREIGN KEY (district, line_id) REFERENCES budget_line
);

-- What one batch took from one line, in the order of the version's shares.
CREATE TABLE reservation (
  district   integer NOT NULL,
  batch_id   bigint NOT NULL,
  source_no  integer NOT NULL,
  line_id    bigint NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
  PRIMARY KEY (district, batch_id, source_no)
);

-- The unit of work: a range of items fixed at sealing, or a repair chunk's list. Stages: 0 waits for release, 1 route, 2 submit, 3 send (committed,
-- to be acknowledged by the gateway), 4 done, 9 set aside. A worker takes one by raising the fence.
CREATE TABLE chunk (
  district    integer NOT NULL,
  batch_id    bigint NOT NULL,
  chunk       integer NOT NULL,
  repair      boolean NOT NULL DEFAULT false,
  first_item  bigint NOT NULL,
  last_item   bigint NOT NULL,
  item_ids    bigint[],                  -- a repair chunk's items; NULL: the range, without held and stopped ones
  stage       smallint NOT NULL,
  fence       bigint NOT NULL DEFAULT 0,
  worker      text NOT NULL DEFAULT '',  -- who holds it: worker/slot
  taken       integer NOT NULL DEFAULT 0,  -- times taken in this stage; three failures set it aside
  not_before  timestamptz NOT NULL DEFAULT now(),
  why         text NOT NULL DEFAULT '',
  PRIMARY KEY (district, batch_id, chunk)
);
CREATE INDEX chunk_to_do ON chunk (stage, not_before) WHERE stage IN (1, 2, 3);

-- Where routing found each item of a chunk to go: arrays of equal length, one row a chunk.
CREATE TABLE route (
  district         integer NOT NULL,
  batch_id         bigint NOT NULL,
  chunk            integer NOT NULL,
  item_ids         bigint[] NOT NULL,
  account_versions bigint[] NOT NULL,
  agreement_nos    smallint[] NOT NULL,  -- index into `agreements`
  agreements       text[] NOT NULL,
  PRIMARY KEY (district, batch_id, chunk)
);

-- Items that left the normal path: held by an objection (2), stopped (3), unroutable (4), abandoned (11). Open until
-- `resolved`; the newest row of an item is its state before it has an attempt.
CREATE TABLE exception (
  district     integer NOT NULL,
  item_id      bigint NOT NULL,
  exception_no integer NOT NULL,
  batch_id     bigint NOT NULL,
  bucket       smallint NOT NULL,
  reason       text NOT NULL,
  resolved     boolean NOT NULL DEFAULT false,
  at           timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (district, item_id, exception_no)
);
CREATE INDEX exception_open ON exception (district, batch_id, bucket) WHERE NOT resolved;

-- One try to pay one item. The reference is what the bank sees: item id and two digits of attempt.
CREATE TABLE attempt (
  district        integer NOT NULL,
  reference       bigint NOT NULL,
  batch_id        bigint NOT NULL,
  chunk           integer NOT NULL,
  submission_no   smallint NOT NULL,
  amount_fen      bigint NOT NULL,
  bank_code       bigint NOT NULL,       -- CNAPS code of the account's bank
  account_version bigint NOT NULL,
  social_card     boolean NOT NULL,
  PRIMARY KEY (district, reference)
) PARTITION BY HASH (district);
CREATE TABLE attempt_p0 PARTITION OF attempt FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE attempt_p1 PARTITION OF attempt FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE attempt_p2 PARTITION OF attempt FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE attempt_p3 PARTITION OF attempt FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- What goes to the gateway under one agreement; the sealed bytes stay until it acknowledged them.
CREATE TABLE submission (
  district      integer NOT NULL,
  batch_id      bigint NOT NULL,
  chunk         integer NOT NULL,
  submission_no smallint NOT NULL,
  request_id    text NOT NULL UNIQUE,
  agreement_no  text NOT NULL,
  rows          integer NOT NULL,
  amount_fen    bigint NOT NULL,
  envelope      bytea,                   -- yikatong.bankgateway.v1.SubmitChunkRequest; NULL once acknowledged
  acknowledged  boolean NOT NULL DEFAULT false,
  refused       text NOT NULL DEFAULT '',  -- why the gateway took none of it; nothing of it was sent
  sent_on       date NOT NULL,
  audit_id      uuid NOT NULL,           -- the outbox entry that commits to its items
  PRIMARY KEY (district, batch_id, chunk, submission_no)
);
ALTER TABLE submission ALTER COLUMN envelope SET STORAGE EXTERNAL;

-- What became of an attempt. States: yikatong.bankgateway.v1.OutcomeState.
CREATE TABLE outcome (
  district   integer NOT NULL,
  reference  bigint NOT NULL,
  outcome_no smallint NOT NULL,
  state      smallint NOT NULL,
  reason     text NOT NULL,
  booked_on  date,
  amount_fen bigint NOT NULL,
  applied_in bigint NOT NULL,            -- number of the gateway's chunk; 0, as outcome_no then is, where this service itself
                                         -- concluded it from the gateway's refusal
  PRIMARY KEY (district, reference, outcome_no)
) PARTITION BY HASH (district);
CREATE TABLE outcome_p0 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE outcome_p1 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE outcome_p2 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE outcome_p3 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- Which outcome chunks of the gateway were applied, with what their audit entry commits to. `applied` is the cursor.
CREATE TABLE applied_chunk (
  number         bigint PRIMARY KEY,
  district       integer NOT NULL,
  item_references bigint[] NOT NULL,     -- in the order of the subtree's leaves
  states         smallint[] NOT NULL,
  audit_id       uuid                    -- NULL where nothing was new
);
CREATE TABLE outcome_cursor (
  gateway text PRIMARY KEY,
  applied bigint NOT NULL DEFAULT 0,
  fence   bigint NOT NULL DEFAULT 0,
  worker  text NOT NULL DEFAULT ''
);

-- The sweep that settles batches looks at those that are being paid, not at all that ever were.
CREATE INDEX batch_paying ON batch (district, batch_id) WHERE state = 7;

GRANT SELECT, INSERT, UPDATE ON budget_line, chunk, exception, submission, outcome_cursor TO :app;
GRANT SELECT, INSERT ON ledger, reservation, attempt, outcome, applied_chunk TO :app;
GRANT SELECT, INSERT, UPDATE, DELETE ON route TO :app;
