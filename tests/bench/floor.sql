-- The floor: what one PostgreSQL must write for N payments over all services and the bank's journal, by bare set statements: the
-- same rows, the same indexes, the same envelope bytes. Indexed rows for one payment: dispatch item, claim of the policy, two
-- claims on exclusion edges (the demonstration's policies have two on average), attempt, outcome; gateway instruction, outcome,
-- statement line. The bank's journal is a row of its own here. Rows of a whole chunk hold the bytes that the suite keeps there: claim
-- keys 52, sealed envelope 126, references 8 in each of four rows, accounts 65, the file's own bytes 89 for each payment.
\set ON_ERROR_STOP on
\timing off
SET synchronous_commit = on;
SET jit = off;

CREATE TABLE f_item (district int NOT NULL, item_id bigint NOT NULL, batch_id bigint NOT NULL, chunk int NOT NULL,
  person_id bigint NOT NULL, payee_id bigint NOT NULL, village bigint NOT NULL, amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  masked_name text NOT NULL, PRIMARY KEY (district, item_id)) PARTITION BY HASH (district);
CREATE TABLE f_claim (claim_key uuid PRIMARY KEY, owner bigint NOT NULL, holders int NOT NULL DEFAULT 1 CHECK (holders > 0));
CREATE TABLE f_upload (chunk bigint PRIMARY KEY, claim_keys bytea NOT NULL);
CREATE TABLE f_attempt (district int NOT NULL, reference bigint NOT NULL, batch_id bigint NOT NULL, chunk int NOT NULL,
  submission_no smallint NOT NULL, amount_fen bigint NOT NULL, bank_code bigint NOT NULL, account_version bigint NOT NULL,
  social_card boolean NOT NULL, PRIMARY KEY (district, reference)) PARTITION BY HASH (district);
CREATE TABLE f_submission (chunk bigint PRIMARY KEY, envelope bytea NOT NULL);
CREATE TABLE f_outcome (district int NOT NULL, reference bigint NOT NULL, outcome_no smallint NOT NULL, state smallint NOT NULL,
  reason text NOT NULL, booked_on date, amount_fen bigint NOT NULL, applied_in bigint NOT NULL,
  PRIMARY KEY (district, reference, outcome_no)) PARTITION BY HASH (district);
CREATE TABLE f_applied (chunk bigint PRIMARY KEY, item_references bigint[] NOT NULL);
CREATE TABLE g_submission (submission_id bigint PRIMARY KEY, item_references bigint[] NOT NULL, accounts bytea NOT NULL);
CREATE TABLE g_instruction (district int NOT NULL, reference bigint NOT NULL CHECK (reference > 0), submission_id bigint NOT NULL,
  person_id bigint NOT NULL, account_version bigint NOT NULL, amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  payee_bank text NOT NULL, last_four smallint NOT NULL, PRIMARY KEY (district, reference)) PARTITION BY HASH (district);
CREATE TABLE g_file_part (chunk bigint PRIMARY KEY, bytes bytea NOT NULL);
CREATE TABLE g_outcome (district int NOT NULL, reference bigint NOT NULL, outcome_no smallint NOT NULL CHECK (outcome_no > 0),
  state smallint NOT NULL CHECK (state BETWEEN 1 AND 4), amount_fen bigint NOT NULL, booked_on date, reason text, bank_serial text,
  PRIMARY KEY (district, reference, outcome_no)) PARTITION BY HASH (district);
CREATE TABLE g_outcome_chunk (chunk bigint PRIMARY KEY, item_references bigint[] NOT NULL, outcome_nos smallint[] NOT NULL);
CREATE TABLE g_notification (chunk bigint PRIMARY KEY, item_references bigint[] NOT NULL);
CREATE TABLE g_statement_line (district int NOT NULL, reference bigint NOT NULL, statement_id bigint NOT NULL, line bigint NOT NULL,
  debit boolean NOT NULL, amount_fen bigint NOT NULL, PRIMARY KEY (district, reference, statement_id, line))
  PARTITION BY HASH (district);
CREATE TABLE b_journal (number bigint PRIMARY KEY, business_date date NOT NULL, file_id text NOT NULL, reference bigint NOT NULL,
  amount_fen bigint NOT NULL, last_four text NOT NULL);
ALTER TABLE f_upload ALTER COLUMN claim_keys SET STORAGE EXTERNAL;
ALTER TABLE f_submission ALTER COLUMN envelope SET STORAGE EXTERNAL;
ALTER TABLE g_submission ALTER COLUMN accounts SET STORAGE EXTERNAL;
ALTER TABLE g_file_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
SELECT format('CREATE TABLE %s_p%s PARTITION OF %s FOR VALUES WITH (MODULUS 4, REMAINDER %s)', t, r, t, r)
FROM unnest(ARRAY['f_item', 'f_attempt', 'f_outcome', 'g_instruction', 'g_outcome', 'g_statement_line']) t, generate_series(0, 3) r \gexec

-- Bytes that do not compress, made before the clock runs: what encrypts is not part of the floor.
CREATE TABLE sealed AS SELECT string_agg(decode(md5(j::text), 'hex'), '') AS bytes FROM generate_series(1, 20000) j;

-- In chunks of 2000, each step of a chunk in a transaction of its own, as the suite does. One district for each tenth of the rows.
CREATE PROCEDURE floor_steps(rows bigint, from_chunk bigint, to_chunk bigint) LANGUAGE plpgsql AS $$
DECLARE
  chunk bigint;
  a bigint;
  z bigint;
  n int;
  d int;
BEGIN
  FOR chunk IN from_chunk .. to_chunk LOOP
    a := chunk * 2000 + 1;
    z := least(rows, (chunk + 1) * 2000);
    n := (z - a + 1)::int;
    d := 120101 + (chunk % 10)::int;
    INSERT INTO f_claim SELECT md5(i::text)::uuid, i FROM generate_series(a, z) i ORDER BY 1 ON CONFLICT (claim_key) DO NOTHING;
    INSERT INTO f_claim AS c SELECT md5(e || '/' || i)::uuid, -e, 1 FROM generate_series(a, z) i, generate_series(1, 2) e ORDER BY 1
      ON CONFLICT (claim_key) DO UPDATE SET holders = c.holders + excluded.holders WHERE c.owner = excluded.owner;
    INSERT INTO f_item SELECT d, 1010000000000 + i, 10100000001, chunk, i, i, 120101001001, 10000 + i % 90000, '张**'
      FROM generate_series(a, z) i;
    INSERT INTO f_upload SELECT chunk, substr(bytes, 1, 52 * n) FROM sealed;
    COMMIT;
    INSERT INTO f_attempt SELECT d, (1010000000000 + i) * 100 + 1, 10100000001, chunk, 1, 10000 + i % 90000, 999110000015, 1, true
      FROM generate_series(a, z) i;
    INSERT INTO f_submission SELECT chunk, substr(bytes, 1, 126 * n) FROM sealed;
    COMMIT;
    INSERT INTO g_submission SELECT chunk, (SELECT array_agg(i) FROM generate_series(a, z) i), substr(bytes, 1, 65 * n) FROM sealed;
    INSERT INTO g_instruction SELECT d, (1010000000000 + i) * 100 + 1, chunk, i, 1, 10000 + i % 90000, '999110000015', 1234
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_file_part SELECT chunk, substr(bytes, 1, 89 * n) FROM sealed;
    COMMIT;
    INSERT INTO b_journal SELECT i, '2026-03-02', 'F-120101-00000001', (1010000000000 + i) * 100 + 1, 10000 + i % 90000, '1234'
      FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_outcome SELECT d, (1010000000000 + i) * 100 + 1, 1, 1, 10000 + i % 90000, '2026-03-02', NULL, 'B' || i
      FROM generate_series(a, z) i;
    INSERT INTO g_outcome_chunk SELECT chunk, array_agg(i), array_agg(1) FROM generate_series(a, z) i;
    INSERT INTO g_notification SELECT chunk, array_agg(i) FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO f_outcome SELECT d, (1010000000000 + i) * 100 + 1, 1, 1, '', '2026-03-02', 10000 + i % 90000, chunk
      FROM generate_series(a, z) i;
    INSERT INTO f_applied SELECT chunk, array_agg(i) FROM generate_series(a, z) i;
    COMMIT;
    INSERT INTO g_statement_line SELECT d, (1010000000000 + i) * 100 + 1, 1, i, true, 10000 + i % 90000 FROM generate_series(a, z) i;
    COMMIT;
  END LOOP;
END $$;
