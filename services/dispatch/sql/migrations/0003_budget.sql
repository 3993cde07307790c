-- What becomes of a line's money beside its payments: money from above, orders between lines, the year's end.

-- A closed line takes nothing new, whatever a step read before the closing was committed.
ALTER TABLE budget_line ADD COLUMN closed_on date;
ALTER TABLE budget_line ADD CONSTRAINT budget_line_closed_is_empty CHECK (closed_on IS NULL OR available_fen = 0);

-- Receipts, passings down and orders of a district, numbered together.
ALTER TABLE district_counter ADD COLUMN next_document bigint NOT NULL DEFAULT 1 CHECK (next_document <= 10000000);

-- Accounts of the ledger: 1 appropriation, 2 available, 3 reserved, 4 in_transit, 5 paid, 6 owed_to_treasury, 7 transfer,
-- 8 carry_over, 9 lapsed, 10 settled_to_treasury.

-- Money that a district (120000: the city) received from above. What is passed down of it never exceeds it.
CREATE TABLE fund_receipt (
  district     integer NOT NULL,
  receipt_id   bigint NOT NULL,           -- restore epoch * 10^7 + number
  from_level   text NOT NULL CHECK (from_level IN ('central', 'city')),
  document     text NOT NULL,
  policy_id    text NOT NULL,
  year         integer NOT NULL,
  source       text NOT NULL,
  amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
  passed_fen   bigint NOT NULL DEFAULT 0 CHECK (passed_fen BETWEEN 0 AND amount_fen),
  received_on  date NOT NULL,
  due_on       date NOT NULL,
  cancelled_on date CHECK (cancelled_on IS NULL OR passed_fen = 0),
  PRIMARY KEY (district, receipt_id)
);
-- A document is recorded once for each policy, year and source.
CREATE UNIQUE INDEX fund_receipt_document ON fund_receipt (district, document, policy_id, year, source)
  WHERE cancelled_on IS NULL;
CREATE INDEX fund_receipt_open ON fund_receipt (due_on) WHERE passed_fen < amount_fen AND cancelled_on IS NULL;

-- One passing down, in the receipt's district. `booked` follows the booking in the line's district.
CREATE TABLE pass_down (
  district     integer NOT NULL,
  pass_down_id bigint NOT NULL,
  receipt_id   bigint NOT NULL,
  to_district  integer NOT NULL,
  line_id      bigint NOT NULL,
  amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
  document     text NOT NULL,
  passed_on    date NOT NULL,
  booked       boolean NOT NULL DEFAULT false,
  PRIMARY KEY (district, pass_down_id),
  FOREIGN KEY (district, receipt_id) REFERENCES fund_receipt
);
CREATE INDEX pass_down_of_receipt ON pass_down (district, receipt_id, pass_down_id);
CREATE INDEX pass_down_unbooked ON pass_down (district, pass_down_id) WHERE NOT booked;

-- The same in the line's district, written with the line's ledger row: each passing down is booked once, and the two districts are
-- never locked together.
CREATE TABLE pass_down_booking (
  district      integer NOT NULL,
  from_district integer NOT NULL,
  pass_down_id  bigint NOT NULL,
  line_id       bigint NOT NULL,
  booked_on     date NOT NULL,
  PRIMARY KEY (district, from_district, pass_down_id),
  FOREIGN KEY (district, line_id) REFERENCES budget_line
);

-- Orders to move money of a line, each by two people. Kinds and states: yikatong.dispatch.v1.BudgetOrderKind, BudgetOrderState.
CREATE TABLE budget_order (
  district     integer NOT NULL,
  order_id     bigint NOT NULL,           -- restore epoch * 10^7 + number
  kind         smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
  line_id      bigint NOT NULL,
  to_line_id   bigint CHECK (to_line_id <> line_id),
  amount_fen   bigint NOT NULL CHECK (amount_fen >= 0),
  document     text NOT NULL,
  reason       text NOT NULL,
  state        smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
  requested_by text NOT NULL,
  requested_on date NOT NULL,
  decided_by   text NOT NULL DEFAULT '',
  decided_on   date,
  decision     text NOT NULL DEFAULT '',
  PRIMARY KEY (district, order_id),
  FOREIGN KEY (district, line_id) REFERENCES budget_line,
  FOREIGN KEY (district, to_line_id) REFERENCES budget_line,
  CHECK ((to_line_id IS NOT NULL) = (kind IN (1, 3))),
  CHECK ((decided_on IS NULL) = (state = 1)),
  CONSTRAINT budget_order_two_people CHECK (state NOT IN (2, 3) OR decided_by <> requested_by)
);
-- One order for the end of a line's year, unless it was refused or withdrawn.
CREATE UNIQUE INDEX budget_order_year_end ON budget_order (district, line_id) WHERE kind IN (2, 3) AND state IN (1, 2);

GRANT SELECT, INSERT, UPDATE ON fund_receipt, pass_down, budget_order TO :app;
GRANT SELECT, INSERT ON pass_down_booking TO :app;
