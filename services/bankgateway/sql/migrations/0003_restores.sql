-- What is found out after this database was put back from a backup, while a restore is open: until somebody says that it is
-- finished, nothing is packed before every bank was asked whether it has it already, and no day is reconciled.
SET LOCAL lock_timeout = '5s';

-- include common/outbox/sql/restored_v1.sql
ALTER TABLE restored ADD COLUMN finished_at timestamptz;

-- Banks of which everything is read that they had to tell when the restore began.
CREATE TABLE restored_bank (
  restore_id text NOT NULL REFERENCES restored,
  bank_code  text NOT NULL REFERENCES bank,
  PRIMARY KEY (restore_id, bank_code)
);

-- What a bank told of a reference that is in no file of ours, though we sent it: in the time that the restore undid. A row is a
-- result (by its number at the bank), or the answer to a question (number 0). state: 1 pending, 2 paid, 3 failed, 4 returned.
CREATE TABLE found_reference (
  district    integer NOT NULL,
  reference   bigint NOT NULL,
  bank_code   text NOT NULL,
  number      bigint NOT NULL CHECK (number >= 0),
  restore_id  text NOT NULL REFERENCES restored,
  file_id     text NOT NULL,  -- the bank's name for the file, which was ours
  state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
  amount_fen  bigint NOT NULL,
  booked_on   date,
  return_code text NOT NULL,
  bank_serial text NOT NULL,
  PRIMARY KEY (district, reference, bank_code, number)
);

-- Rows of a chunk that a bank had already: they are in no file of ours, and are never sent.
ALTER TABLE submission ADD COLUMN looked_up_on date;  -- business date on which the banks were asked; none outside of a restore
ALTER TABLE submission ADD COLUMN asked_on date;      -- when the bank was last asked about what is withheld; infinity: all of it has its end
ALTER TABLE submission ADD COLUMN withheld integer NOT NULL DEFAULT 0 CHECK (withheld BETWEEN 0 AND row_count);
ALTER TABLE submission ADD COLUMN withheld_fen bigint NOT NULL DEFAULT 0 CHECK (withheld_fen BETWEEN 0 AND total_fen);
CREATE INDEX submission_withheld ON submission (agreement_no) WHERE withheld > 0;
CREATE INDEX submission_withheld_open ON submission (bank_code, submission_id)
  WHERE withheld > 0 AND asked_on IS DISTINCT FROM 'infinity';

GRANT UPDATE (finished_at) ON restored TO :app;
-- Raising the epoch sets them on.
GRANT SELECT, UPDATE ON SEQUENCE reconciliation_case_case_id_seq, difference_difference_id_seq, outcome_chunk_chunk_id_seq,
  notification_batch_batch_id_seq, submission_submission_id_seq, statement_statement_id_seq, suspense_entry_entry_id_seq TO :app;
GRANT SELECT, INSERT ON restored_bank, found_reference TO :app;
