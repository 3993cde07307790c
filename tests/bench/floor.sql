-- The floor: what one PostgreSQL must write for N payments over all services and the bank's journal, by bare set statements: the
-- same rows, the same indexes, the same envelope bytes. psql -v n=200000 -f floor.sql prints the seconds of each step.
-- Indexed rows for one payment: dispatch item, claim, attempt, outcome; gateway instruction, outcome, statement line. The
-- bank's journal is a row of its own here.
\set ON_ERROR_STOP on
\timing off
SET synchronous_commit = on;
SET jit = off;

CREATE TABLE f_item (district int NOT NULL, item_id bigint NOT NULL, batch_id bigint NOT NULL, chunk int NOT NULL,
  person_id bigint NOT NULL, payee_id bigint NOT NULL, village bigint NOT NULL, amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  masked_name text NOT NULL, PRIMARY KEY (district, item_id)) PARTITION BY HASH (district);
CREATE TABLE f_claim (claim_key uuid PRIMARY KEY, owner bigint NOT NULL, holders int NOT NULL DEFAULT 1);
CREATE TABLE f_attempt (district int NOT NULL, reference bigint NOT NULL, batch_id bigint NOT NULL, chunk int NOT NULL,
  submission_no smallint NOT NULL, amount_fen bigint NOT NULL, bank_code bigint NOT NULL, account_version bigint NOT NULL,
  social_card boolean NOT NULL, PRIMARY KEY (district, reference)) PARTITION BY HASH (district);
CREATE TABLE f_outcome (district int NOT NULL, reference bigint NOT NULL, outcome_no smallint NOT NULL, state smallint NOT NULL,
  reason text NOT NULL, booked_on date, amount_fen bigint NOT NULL, PRIMARY KEY (district, reference, outcome_no))
  PARTITION BY HASH (district);
CREATE TABLE g_submission (submission_id bigint PRIMARY KEY, item_references bigint[] NOT NULL, accounts bytea NOT NULL);
ALTER TABLE g_submission ALTER COLUMN accounts SET STORAGE EXTERNAL;
CREATE TABLE g_instruction (district int NOT NULL, reference bigint NOT NULL, submission_id bigint NOT NULL, person_id bigint NOT NULL,
  account_version bigint NOT NULL, amount_fen bigint NOT NULL CHECK (amount_fen > 0), payee_bank text NOT NULL,
  last_four smallint NOT NULL, PRIMARY KEY (district, reference)) PARTITION BY HASH (district);
CREATE TABLE g_outcome (district int NOT NULL, reference bigint NOT NULL, outcome_no smallint NOT NULL, state smallint NOT NULL,
  amount_fen bigint NOT NULL, booked_on date, reason text, bank_serial text, PRIMARY KEY (district, reference, outcome_no))
  PARTITION BY HASH (district);
CREATE TABLE g_statement_line (district int NOT NULL, agreement_no text NOT NULL, business_date date NOT NULL, line bigint NOT NULL,
  reference bigint NOT NULL, debit boolean NOT NULL, amount_fen bigint NOT NULL, bank_serial text NOT NULL,
  PRIMARY KEY (district, agreement_no, business_date, line)) PARTITION BY HASH (district);
CREATE TABLE b_journal (number bigint PRIMARY KEY, business_date date NOT NULL, file_id text NOT NULL, reference bigint NOT NULL,
  amount_fen bigint NOT NULL, last_four text NOT NULL);
SELECT format('CREATE TABLE %s_p%s PARTITION OF %s FOR VALUES WITH (MODULUS 4, REMAINDER %s)', t, r, t, r)
FROM unnest(ARRAY['f_item', 'f_attempt', 'f_outcome', 'g_instruction', 'g_outcome', 'g_statement_line']) t, generate_series(0, 3) r \gexec

-- In chunks of 2000, each step of a chunk in a transaction of its own, as the suite does. One district for each tenth of the rows.
CREATE PROCEDURE floor_steps(rows bigint, from_chunk bigint, to_chunk bigint) LANGUAGE plpgsql AS $$
DECLARE
  chunk bigint;
  a bigint;
  z bigint;
  d int;
BEGIN
  FOR chunk IN from_chunk .. to_chunk LOOP
    a := chunk * 2000 + 1;
    z := least(rows, (chunk + 1) * 2000);
    d := 120101 + (chunk % 10)::int;
    INSERT INTO f_claim SELECT md5(i::text)::uuid, i, 1 FROM generate_series(a, z) i ORDER BY 1 ON CONFLICT DO NOTHING;
    INSERT INTO f_item SELECT d, 1010000000000 + i, 10100000001, chunk, i, i, 120101001001, 10000 + i % 90000, '张**'
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO f_attempt SELECT d, (1010000000000 + i) * 100 + 1, 10100000001, chunk, 1, 10000 + i % 90000, 999110000015, 1, true
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_submission SELECT chunk, array_agg(i), (SELECT string_agg(decode(md5(j::text), 'hex'), '') FROM generate_series(1, 16000) j)
      FROM generate_series(a, z) i;
    INSERT INTO g_instruction SELECT d, (1010000000000 + i) * 100 + 1, chunk, i, 1, 10000 + i % 90000, '999110000015', 1234
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO b_journal SELECT i, '2026-03-02', 'F-120101-00000001', (1010000000000 + i) * 100 + 1, 10000 + i % 90000, '1234'
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_outcome SELECT d, (1010000000000 + i) * 100 + 1, 1, 1, 10000 + i % 90000, '2026-03-02', NULL, 'B' || i
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO f_outcome SELECT d, (1010000000000 + i) * 100 + 1, 1, 1, '', '2026-03-02', 10000 + i % 90000
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_statement_line SELECT d, 'AG-120101-1', '2026-03-02', i, (1010000000000 + i) * 100 + 1, true, 10000 + i % 90000, 'B' || i
      FROM generate_series(a, z) i;
    COMMIT;
  END LOOP;
END $$;
