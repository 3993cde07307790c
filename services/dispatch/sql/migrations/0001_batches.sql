-- Batches from collection to the last review: what was asked for, who may not be paid twice, what the public saw.
-- Every hot table leads its keys with the district and is partitioned by its hash, so that PostgreSQL enforces that each
-- hot statement and key names it. An item row is written once and never changed.
-- include common/outbox/sql/outbox_v1.sql
-- include common/postgres/sql/worker_heartbeat_v1.sql

-- Stands in every number that this service gives. Raised before the first write after a restore from a backup, so that no number
-- of the lost timeline is used again.
CREATE TABLE restore_epoch (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch smallint NOT NULL DEFAULT 0 CHECK (epoch BETWEEN 0 AND 9)
);
INSERT INTO restore_epoch DEFAULT VALUES;

-- What each district numbers. The row is locked for the length of one CreateBatch, never while items are inserted.
CREATE TABLE district_counter (
  district    integer PRIMARY KEY,
  next_batch  bigint NOT NULL DEFAULT 1 CHECK (next_batch <= 10000000),
  next_serial bigint NOT NULL DEFAULT 1 CHECK (next_serial <= 1000000000),  -- nine digits of an item id
  next_line   bigint NOT NULL DEFAULT 1
);

-- The first answer to each mutation, with the hash of what was asked.
CREATE TABLE request (
  organisation text NOT NULL,
  request_id   text NOT NULL CHECK (length(request_id) BETWEEN 1 AND 64),
  method       text NOT NULL,
  content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
  answer       bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation, request_id)
);

CREATE TABLE batch (
  district       integer NOT NULL,
  batch_id       bigint NOT NULL,        -- (district % 10000) * 10^8 + restore epoch * 10^7 + number
  department_id  text NOT NULL,
  field          text NOT NULL,
  policy_id      text NOT NULL,
  policy_version integer NOT NULL,
  period         text NOT NULL,
  rule           bytea NOT NULL,         -- the pinned rule: yikatong.catalogue.v1.GetPayableVersionResponse
  state          smallint NOT NULL,      -- yikatong.dispatch.v1.BatchState
  declared_count bigint NOT NULL CHECK (declared_count > 0),
  declared_fen   bigint NOT NULL CHECK (declared_fen > 0),
  first_item     bigint NOT NULL,        -- item id of row 1; row r has first_item + r - 1
  salt_key       bytea NOT NULL CHECK (length(salt_key) = 32),
  created_org    text NOT NULL,
  created_by     text NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  created_on     date NOT NULL,
  pay_on         date,
  state_since_on date NOT NULL,          -- business date of the last change of state
  released_by    text,
  reason         text NOT NULL DEFAULT '',
  PRIMARY KEY (district, batch_id)
);
CREATE INDEX batch_by_policy ON batch (policy_id, period, district);

-- One chunk as it was uploaded: its hash and first answer make the upload resumable.
CREATE TABLE upload_chunk (
  district     integer NOT NULL,
  batch_id     bigint NOT NULL,
  chunk        integer NOT NULL CHECK (chunk > 0),
  content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
  rows         integer NOT NULL,
  rows_fen     bigint NOT NULL,
  accepted     integer NOT NULL,
  accepted_fen bigint NOT NULL,
  first_row    bigint NOT NULL,          -- its rows are consecutive
  last_row     bigint NOT NULL,
  first_item   bigint NOT NULL,          -- smallest and largest item id of those accepted; 0 where none was
  last_item    bigint NOT NULL,
  -- What its items claimed, so that a cancellation finds it again: sixteen bytes a claim and no index, where an index on
  -- claim (owner) would be one more indexed row for each payment.
  claim_keys   uuid[] NOT NULL,
  edge_keys    uuid[] NOT NULL,
  edge_holders integer[] NOT NULL,       -- how many items of the chunk hold the edge claim
  PRIMARY KEY (district, batch_id, chunk)
);
CREATE INDEX upload_chunk_by_row ON upload_chunk (district, batch_id, first_row);
ALTER TABLE upload_chunk ALTER COLUMN claim_keys SET STORAGE EXTERNAL, ALTER COLUMN edge_keys SET STORAGE EXTERNAL;


CREATE TABLE item (
  district    integer NOT NULL,
  item_id     bigint NOT NULL,           -- (district % 10000) * 10^10 + restore epoch * 10^9 + serial
  batch_id    bigint NOT NULL,
  chunk       integer NOT NULL,          -- upload chunk
  person_id   bigint NOT NULL,           -- beneficiary
  payee_id    bigint NOT NULL,
  village     bigint NOT NULL,
  amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
  masked_name text NOT NULL,
  PRIMARY KEY (district, item_id)
) PARTITION BY HASH (district);
CREATE TABLE item_p0 PARTITION OF item FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE item_p1 PARTITION OF item FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE item_p2 PARTITION OF item FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE item_p3 PARTITION OF item FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- Rows that were refused, never an item.
CREATE TABLE rejection (
  district   integer NOT NULL,
  batch_id   bigint NOT NULL,
  row_number bigint NOT NULL,
  chunk      integer NOT NULL,
  ordinal    integer NOT NULL,           -- within the chunk, since a row number can come twice
  reason     text NOT NULL,
  detail     text NOT NULL,
  amount_fen bigint NOT NULL,
  PRIMARY KEY (district, batch_id, row_number, chunk, ordinal)
);

-- What an item occupies so that nobody is paid twice. The one table that crosses districts, since its rule does: keyed by
-- the hash of (scope, slot, kind, key). `owner` is the item for a policy's own claim (then holders is 1), and for a claim on an
-- exclusion edge minus a number made from the policy's id (negative), with the count of its uncancelled items there.
CREATE TABLE claim (
  claim_key uuid PRIMARY KEY,
  owner     bigint NOT NULL,
  holders   integer NOT NULL DEFAULT 1 CHECK (holders > 0)
);

-- Who was in last period's roster and is not in this one.
CREATE TABLE departure (
  district    integer NOT NULL,
  batch_id    bigint NOT NULL,
  person_id   bigint NOT NULL,
  masked_name text NOT NULL,
  amount_fen  bigint NOT NULL,
  reason      text NOT NULL DEFAULT '',
  PRIMARY KEY (district, batch_id, person_id)
);

CREATE TABLE notice (
  district       integer NOT NULL,
  batch_id       bigint NOT NULL,
  from_date      date NOT NULL,
  to_date        date NOT NULL,
  root           bytea NOT NULL CHECK (length(root) = 32),
  lines          bigint NOT NULL,
  aggregate_only boolean NOT NULL,
  PRIMARY KEY (district, batch_id)
);

CREATE TABLE objection (
  district     integer NOT NULL,
  batch_id     bigint NOT NULL,
  objection_id bigint NOT NULL,
  item_id      bigint NOT NULL,
  text         text NOT NULL,
  state        smallint NOT NULL,        -- yikatong.dispatch.v1.ObjectionState
  raised_by    text NOT NULL,
  raised_on    date NOT NULL,
  decided_by   text NOT NULL DEFAULT '',
  decision     text NOT NULL DEFAULT '',
  PRIMARY KEY (district, batch_id, objection_id)
);
CREATE UNIQUE INDEX objection_open ON objection (district, batch_id, item_id) WHERE state = 1;

-- Who took which step; the second key says that nobody takes two.
CREATE TABLE review (
  district integer NOT NULL,
  batch_id bigint NOT NULL,
  step_no  integer NOT NULL,
  step     text NOT NULL,
  person   text NOT NULL,
  approved boolean NOT NULL,
  comment  text NOT NULL,
  late     boolean NOT NULL,
  taken_on date NOT NULL,                -- business date
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (district, batch_id, step_no),
  UNIQUE (district, batch_id, person)
);

CREATE TABLE attachment (
  district   integer NOT NULL,
  batch_id   bigint NOT NULL,
  sha256     bytea NOT NULL CHECK (length(sha256) = 32),
  kind       text NOT NULL,
  byte_size  bigint NOT NULL,
  uri        text NOT NULL,
  media_type text NOT NULL,
  added_by   text NOT NULL,
  PRIMARY KEY (district, batch_id, sha256)
);

-- Movements of items between buckets, appended by each step: double entry for items, so that a batch's totals are sums
-- over a few rows for each chunk, never over items. From bucket 0 they come into being.
-- Buckets: 1 waiting, 2 held, 3 stopped, 4 unroutable, 5 in_transit, 6 paid, 7 failed, 8 unknown, 9 returned_open,
-- 10 cancelled. Memo buckets, which count and hold nothing: 21 returned, 22 reissued_paid, 23 not_converted.
CREATE TABLE movement (
  district    integer NOT NULL,
  batch_id    bigint NOT NULL,
  movement_id uuid NOT NULL,
  from_bucket smallint NOT NULL,
  to_bucket   smallint NOT NULL,
  reason      text NOT NULL DEFAULT '',
  items       bigint NOT NULL CHECK (items > 0),
  amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
  at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (district, batch_id, movement_id)
);

GRANT SELECT, UPDATE ON restore_epoch TO :app;
GRANT SELECT, INSERT, UPDATE ON district_counter, batch, departure, objection TO :app;
GRANT SELECT, INSERT ON request, upload_chunk, item, rejection, notice, review, attachment, movement TO :app;
GRANT SELECT, INSERT, UPDATE, DELETE ON claim TO :app;
