-- Banks, agreements, instructions, files, outcomes and statements. District first in every hot key; three indexed rows a
-- payment: instruction, outcome, statement_line. Everything else is a row for a chunk, a file or a day.
SET LOCAL lock_timeout = '5s';

-- include common/postgres/sql/worker_heartbeat_v1.sql

-- include common/outbox/sql/outbox_v1.sql

-- Raised before the first write after the database was restored from a backup: part of whatever we number.
CREATE TABLE restore_epoch (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    integer NOT NULL CHECK (epoch BETWEEN 1 AND 9)
);
INSERT INTO restore_epoch (epoch) VALUES (1);

CREATE TABLE bank (
  bank_code     text PRIMARY KEY CHECK (bank_code ~ '^[0-9]{12}$'),
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  address       text NOT NULL,  -- empty: it is only credited by others
  tls_name      text NOT NULL,
  card_partner  boolean NOT NULL CHECK (card_partner),
  suspended     boolean NOT NULL DEFAULT false,
  state_reason  text NOT NULL DEFAULT '',
  result_cursor bigint NOT NULL DEFAULT 0 CHECK (result_cursor >= 0)
);

CREATE TABLE agreement (
  agreement_no        text PRIMARY KEY CHECK (agreement_no ~ '^[A-Za-z0-9._-]{1,32}$'),
  district            integer NOT NULL,
  department_id       text NOT NULL,  -- empty: every department of the district
  bank_code           text NOT NULL REFERENCES bank,
  valid_from          date NOT NULL,
  valid_to            date NOT NULL CHECK (valid_to >= valid_from),
  credits_other_banks boolean NOT NULL,
  with_identity       boolean NOT NULL,
  bank_notifies       boolean NOT NULL,
  refuses_duplicates  boolean NOT NULL,
  suspended           boolean NOT NULL DEFAULT false,
  state_reason        text NOT NULL DEFAULT '',
  reconciled_through  date  -- every statement up to this day is done; none before the first file
);
CREATE INDEX agreement_by_district ON agreement (district, agreement_no);

-- A mutation that was done, by the caller's id of it.
CREATE TABLE request (
  request_id   text PRIMARY KEY,
  content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
  done_at      timestamptz NOT NULL DEFAULT now()
);

-- One chunk of instructions, and in which file it is: a range of a file is one whole submission, so that no row can be
-- in two files. The accounts of all rows are one value, encrypted under our own key.
CREATE TABLE submission (
  submission_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id      text NOT NULL UNIQUE,
  content_hash    bytea NOT NULL CHECK (length(content_hash) = 32),
  district        integer NOT NULL,
  agreement_no    text NOT NULL REFERENCES agreement,
  bank_code       text NOT NULL,
  summary         text NOT NULL,
  row_count       integer NOT NULL CHECK (row_count BETWEEN 1 AND 2000),
  total_fen       bigint NOT NULL CHECK (total_fen > 0),
  item_references bigint[] NOT NULL CHECK (cardinality(item_references) = row_count),
  accounts        bytea NOT NULL,
  accepted_at     timestamptz NOT NULL DEFAULT now(),
  file_id         text,
  file_offset     integer CHECK (file_offset >= 0),  -- rows of the file before ours
  CHECK ((file_id IS NULL) = (file_offset IS NULL))
);
ALTER TABLE submission ALTER COLUMN accounts SET STORAGE EXTERNAL;
CREATE INDEX submission_waiting ON submission (agreement_no, submission_id) WHERE file_id IS NULL;
CREATE UNIQUE INDEX submission_of_file ON submission (file_id, file_offset) WHERE file_id IS NOT NULL;

CREATE TABLE instruction (
  district        integer NOT NULL,
  reference       bigint NOT NULL CHECK (reference > 0),
  submission_id   bigint NOT NULL,
  person_id       bigint NOT NULL,
  account_version bigint NOT NULL,
  amount_fen      bigint NOT NULL CHECK (amount_fen > 0),
  payee_bank      text NOT NULL,
  last_four       smallint NOT NULL,
  PRIMARY KEY (district, reference)
) PARTITION BY HASH (district);
CREATE TABLE instruction_p0 PARTITION OF instruction FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE instruction_p1 PARTITION OF instruction FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE instruction_p2 PARTITION OF instruction FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE instruction_p3 PARTITION OF instruction FOR VALUES WITH (MODULUS 4, REMAINDER 3);

CREATE SEQUENCE file_number;

-- state: 1 packed, 2 sending (or its answer is unknown), 3 sent, 4 done, 5 refused.
CREATE TABLE file (
  file_id       text PRIMARY KEY CHECK (file_id ~ '^[A-Za-z0-9-]{1,35}$'),
  file_number   bigint NOT NULL UNIQUE,
  district      integer NOT NULL,
  agreement_no  text NOT NULL REFERENCES agreement,
  bank_code     text NOT NULL,
  business_date date NOT NULL,
  row_count     integer NOT NULL CHECK (row_count BETWEEN 1 AND 20000),
  total_fen     bigint NOT NULL CHECK (total_fen > 0),
  byte_size     bigint NOT NULL,
  part_count    integer NOT NULL,
  sha256        bytea NOT NULL CHECK (length(sha256) = 32),
  signature     bytea NOT NULL,
  signer_key_id text NOT NULL,
  state         smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
  reason        text NOT NULL DEFAULT '',
  holder        text NOT NULL DEFAULT '',
  fence         bigint NOT NULL DEFAULT 0,
  sent_on       date,
  final_rows    integer NOT NULL DEFAULT 0 CHECK (final_rows BETWEEN 0 AND row_count),
  unknown_on    date,  -- since when its rows without an outcome are told to be unknown
  asked_on      date,  -- when the bank was last asked about single rows
  changed_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX file_to_send ON file (file_number) WHERE state IN (1, 2);
CREATE INDEX file_unfinished ON file (bank_code, sent_on) WHERE state IN (2, 3);
CREATE INDEX file_by_agreement ON file (agreement_no, file_number);

-- The exact bytes that leave, encrypted, in parts of at most 1 MiB.
CREATE TABLE file_part (
  file_id text NOT NULL REFERENCES file,
  part    integer NOT NULL,
  bytes   bytea NOT NULL,
  PRIMARY KEY (file_id, part)
);
ALTER TABLE file_part ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- state: 1 paid, 2 failed, 3 unknown, 4 returned. An outcome is never changed; the highest number counts.
CREATE TABLE outcome (
  district    integer NOT NULL,
  reference   bigint NOT NULL,
  outcome_no  smallint NOT NULL CHECK (outcome_no > 0),
  state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
  amount_fen  bigint NOT NULL,
  booked_on   date,
  reason      text,
  bank_serial text,
  PRIMARY KEY (district, reference, outcome_no)
) PARTITION BY HASH (district);
CREATE TABLE outcome_p0 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE outcome_p1 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE outcome_p2 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE outcome_p3 PARTITION OF outcome FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- What dispatch pulls: outcomes that were written together. Chunks get their dense number after they have committed, so
-- that a reader behind a number never misses one. The last four columns say how many rows are now in a state (net).
CREATE TABLE outcome_chunk (
  chunk_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  district        integer NOT NULL,
  number          bigint UNIQUE,
  item_references bigint[] NOT NULL,
  outcome_nos     smallint[] NOT NULL CHECK (cardinality(outcome_nos) = cardinality(item_references)),
  paid            integer NOT NULL,
  failed          integer NOT NULL,
  unknown         integer NOT NULL,
  returned        integer NOT NULL
);
CREATE INDEX outcome_chunk_unnumbered ON outcome_chunk (chunk_id) WHERE number IS NULL;
CREATE TABLE outcome_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  number   bigint NOT NULL
);
INSERT INTO outcome_head (number) VALUES (0);

-- Messages to persons that are ours to send: one for each payment, together for a chunk of outcomes.
CREATE TABLE notification_batch (
  batch_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  district        integer NOT NULL,
  chunk_id        bigint NOT NULL REFERENCES outcome_chunk,
  summary         text NOT NULL,
  item_references bigint[] NOT NULL,
  amounts_fen     bigint[] NOT NULL,
  last_fours      smallint[] NOT NULL,
  messages        integer NOT NULL CHECK (messages = cardinality(item_references))
);

CREATE TABLE statement (
  statement_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  agreement_no text NOT NULL REFERENCES agreement,
  day          date NOT NULL,
  district     integer NOT NULL,
  lines        bigint NOT NULL DEFAULT 0,  -- compared so far
  agreed       bigint NOT NULL DEFAULT 0,
  differences  bigint NOT NULL DEFAULT 0,
  debit_fen    bigint NOT NULL DEFAULT 0,
  credit_fen   bigint NOT NULL DEFAULT 0,
  complete     boolean NOT NULL DEFAULT false,
  PRIMARY KEY (agreement_no, day)
);
CREATE INDEX statement_newest ON statement (day DESC, agreement_no DESC);

CREATE TABLE statement_line (
  district     integer NOT NULL,
  reference    bigint NOT NULL,
  statement_id bigint NOT NULL,
  line         bigint NOT NULL,
  debit        boolean NOT NULL,
  amount_fen   bigint NOT NULL,
  PRIMARY KEY (district, reference, statement_id, line)
) PARTITION BY HASH (district);
CREATE TABLE statement_line_p0 PARTITION OF statement_line FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE statement_line_p1 PARTITION OF statement_line FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE statement_line_p2 PARTITION OF statement_line FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE statement_line_p3 PARTITION OF statement_line FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- For each day of an agreement: payments (or, without debit, returns) that the bank reported as booked on it, and those of
-- them that have their line on a statement. Where the two are equal at the day's end no line is missing, and no payment
-- needs to be looked at again.
CREATE TABLE book_day (
  agreement_no text NOT NULL REFERENCES agreement,
  day          date NOT NULL,
  debit        boolean NOT NULL,
  reported     bigint NOT NULL,
  matched      bigint NOT NULL,
  PRIMARY KEY (agreement_no, day, debit)
);

CREATE TABLE difference (
  difference_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agreement_no  text NOT NULL,
  district      integer NOT NULL,
  day           date NOT NULL,
  line          bigint NOT NULL,
  reference     bigint NOT NULL,
  kind          text NOT NULL,
  statement_fen bigint NOT NULL,
  book_fen      bigint NOT NULL,
  found_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX difference_by_agreement ON difference (agreement_no, difference_id);

GRANT SELECT, UPDATE ON restore_epoch TO :app;
GRANT SELECT, INSERT, UPDATE ON bank, agreement, submission, file, outcome_chunk, outcome_head, statement, book_day TO :app;
GRANT SELECT, INSERT ON request, instruction, file_part, outcome, notification_batch, statement_line, difference TO :app;
GRANT USAGE ON SEQUENCE file_number TO :app;
