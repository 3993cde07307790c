-- What this service did, on its way to the audit log. Rows of `outbox` carry no order; the relay moves them to
-- `outbox_number`, densely numbered, so that what is yet to be numbered is always a small table.
CREATE TABLE outbox (
  district   integer NOT NULL,
  outbox_id  uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  body       bytea NOT NULL CHECK (length(body) BETWEEN 1 AND 65535),
  PRIMARY KEY (district, outbox_id)
);

CREATE TABLE outbox_relay (
  producer     text PRIMARY KEY,  -- service and restore epoch
  holder       text NOT NULL DEFAULT '',
  fence        bigint NOT NULL DEFAULT 0,
  last_number  bigint NOT NULL DEFAULT 0,
  acked_number bigint NOT NULL DEFAULT 0,
  CHECK (0 <= acked_number AND acked_number <= last_number)
);

CREATE TABLE outbox_number (
  producer   text NOT NULL REFERENCES outbox_relay,
  number     bigint NOT NULL CHECK (number > 0),
  district   integer NOT NULL,
  outbox_id  uuid NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  body       bytea NOT NULL,
  PRIMARY KEY (producer, number)
);

GRANT SELECT, INSERT, DELETE ON outbox TO :app;
GRANT SELECT, INSERT, UPDATE ON outbox_relay TO :app;
GRANT SELECT, INSERT, DELETE ON outbox_number TO :app;
