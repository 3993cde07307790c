-- A small schema for the tests and the bench of this room.
CREATE TABLE thing (
  district   integer NOT NULL,
  id         bigint NOT NULL,
  amount_fen bigint CONSTRAINT thing_amount_not_negative CHECK (amount_fen >= 0),
  name       text,
  seal       bytea,
  token      uuid,
  day        date,
  at         timestamptz,
  flag       boolean,
  small      smallint,
  CONSTRAINT thing_key PRIMARY KEY (district, id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON thing TO :app;
