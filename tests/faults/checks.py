"""What must hold after a seed: the reckoning of the demonstration, and besides it the audit log joined both ways with
every outbox, with what was acknowledged, and with the rows that its entries speak of."""
import collections
import contextlib
import hashlib
import re

import psycopg2

from cases import odd_lines
from reckoning import Reckoning

PRODUCERS = ("catalogue", "registry", "dispatch", "bankgateway")
# Commands whose success must stand in the log under their request id, once.
AUDITED = ("batch create", "batch seal", "batch publish-notice", "batch attach", "batch object", "batch decide",
           "batch close-notice", "batch review", "batch fund", "batch release", "batch close", "batch reissue", "batch cancel",
           "policy submit", "policy approve", "policy reject", "policy publish", "policy exemption create",
           "policy exemption decide", "repair open", "repair approve", "repair notify", "repair receive",
           "repair ask-write-off", "repair decide-write-off", "repair cancel", "repair arrived", "repair confirm",
           "repair refuse", "repair top-up", "repair correct", "budget request", "budget decide", "budget withdraw",
           "budget receive", "budget cancel-receipt", "budget pass-down", "budget appropriate", "budget create",
           "bank case assign", "bank case decide", "bank case confirm")
# Rows of dispatch's money that must stand once beside those that they follow from: what is wrong where one is found.
MONEY = {
    "pass_down, not booked once": """
        SELECT concat(coalesce(p.district, b.from_district), '/', coalesce(p.pass_down_id, b.pass_down_id)) FROM pass_down p
        FULL JOIN pass_down_booking b ON b.district = p.to_district AND b.from_district = p.district
                                      AND b.pass_down_id = p.pass_down_id AND b.line_id = p.line_id
        WHERE p.booked IS DISTINCT FROM true OR b.pass_down_id IS NULL""",
    "fund_receipt, not the sum of what was passed down": """
        SELECT concat(r.district, '/', r.receipt_id) FROM fund_receipt r LEFT JOIN pass_down p USING (district, receipt_id)
        GROUP BY r.district, r.receipt_id, r.passed_fen HAVING r.passed_fen <> coalesce(sum(p.amount_fen), 0)""",
    "budget_order, not what the ledger moved": """
        SELECT concat('order ', o.place, ' moved ', l.place) FROM (
          SELECT concat('budget-orders/', district, '/', order_id) AS place,
                 CASE WHEN state <> 2 THEN 0 WHEN kind IN (1, 3) THEN 2 ELSE 1 END AS rows, amount_fen FROM budget_order) o
        FULL JOIN (SELECT reason AS place, count(*) AS rows, min(amount_fen) AS low, max(amount_fen) AS high FROM ledger
                   WHERE reason LIKE 'budget-orders/%' GROUP BY 1) l USING (place)
        WHERE coalesce(l.rows, 0) IS DISTINCT FROM o.rows
           OR (o.rows > 0 AND (l.low, l.high) IS DISTINCT FROM (o.amount_fen, o.amount_fen))""",
    "recovery, not the sum of its receipts": """
        SELECT r.recovery_id::text FROM recovery r LEFT JOIN recovery_receipt c USING (district, recovery_id)
        GROUP BY r.recovery_id, r.received_fen, r.due_fen, r.state
        HAVING r.received_fen <> coalesce(sum(c.amount_fen), 0) OR (r.state = 5) <> (r.received_fen = r.due_fen)""",
    "recovery_receipt, not what the ledger took back": """
        SELECT concat('batch ', batch_id) FROM (
          SELECT batch_id, sum(amount_fen) AS fen FROM recovery_receipt GROUP BY 1) c
        FULL JOIN (SELECT batch_id, sum(amount_fen) AS fen FROM ledger WHERE step = 'recovered' GROUP BY 1) l USING (batch_id)
        WHERE c.fen IS DISTINCT FROM l.fen""",
    "arrival, confirmed without its money or refused with it": """
        SELECT a.arrival_id::text FROM arrival a LEFT JOIN recovery_receipt c ON c.district = a.district AND c.receipt = a.receipt
        WHERE (a.state = 2) <> (c.amount_fen IS NOT DISTINCT FROM a.amount_fen)""",
}
CLOSED_CASE = 5
KINDS = ("lost", "paid_twice", "ledger_differences", "audit_differences", "stuck")


# Packages of closed batches that are being made; those that wait for a bank's statement rest.
ARCHIVES_IN_WORK = ("FROM archive_work w JOIN batch b USING (district, batch_id) "
                    "WHERE b.state = 9 AND w.why <> 'STATEMENT_OPEN'")


def on_their_way(socket: str) -> int:
    """Audit entries that the log has not acknowledged yet, of all services, and archives that will tell it something."""
    with contextlib.closing(psycopg2.connect(host=socket, dbname="dispatch", user="postgres")) as connection, \
            connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {ARCHIVES_IN_WORK}")
        waiting = int(cursor.fetchone()[0])
    for service in PRODUCERS:
        with contextlib.closing(psycopg2.connect(host=socket, dbname=service, user="postgres")) as connection, \
                connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM outbox) + (SELECT coalesce(sum(last_number - acked_number), 0) "
                           "FROM outbox_relay)")
            waiting += int(cursor.fetchone()[0])
    return waiting


class Checks(Reckoning):
    def __init__(self, socket, journal_path, folder, rules_path, detours: dict, acknowledged: list):
        super().__init__(socket, journal_path, folder, rules_path, every_table=False)
        self.detours = detours
        self.acknowledged = acknowledged
        self.found = {kind: [] for kind in KINDS}

    def _check_batches_are_the_plan(self, dispatch, batches: dict) -> None:
        detours = {described["key"]: own for own, described in self.detours.items()}
        super()._check_batches_are_the_plan(dispatch, batches | detours)
        states = dict(self._stream(dispatch, "SELECT batch_id, state FROM batch"))
        for own, described in self.detours.items():
            if states.get(own) != 11:
                self._find(f"batch {own} ({' '.join(described['path'])}) was cancelled and is in state {states.get(own)}")

    def everything(self, batches: dict) -> dict:
        """The report of the reckoning; `found` then holds the findings by what they mean."""
        report = self.run(batches)
        for what, sql in MONEY.items():
            self.found["ledger_differences"] += [f"{what}: {place}" for (place,) in self._ask("dispatch", sql)]
        self._work_that_stands()
        self._audit()
        return report

    def _check_statements(self, gateway) -> None:
        """What differs is what the bank did beside its payments, line for line; each has its case, whose money is open until
        the bank has corrected it."""
        complete = set(self._stream(gateway, "SELECT agreement_no, day::text FROM statement WHERE complete"))
        lines = [line for line in odd_lines(self.journal_path) if (line[1], line[0]) in complete]
        ours = collections.Counter(self._stream(gateway, "SELECT agreement_no, day::text, statement_fen FROM difference"))
        # What corrects a case that officers have matched with another differs as well.
        odd, corrections = (collections.Counter((agreement, day, abs(fen)) for day, agreement, fen, corrects in lines
                                                if corrects == wanted) for wanted in (False, True))
        for line in (ours - odd - corrections) + (odd - ours):
            self._find(f"fen: a difference of {line} that the bank did not make, or was not found")
        ours, theirs = collections.Counter(), collections.Counter()
        for case, agreement, state, fen in self._stream(
                gateway, "SELECT case_id, agreement_no, state, open_fen FROM reconciliation_case "
                         "WHERE kind <> 'STATEMENT_MISSING'"):
            ours[agreement] += fen
            if (state == CLOSED_CASE) != (fen == 0):
                self._find(f"fen: case {case} is in state {state} with {fen} fen open")
        for _, agreement, fen, _ in lines:
            theirs[agreement] += fen
        for agreement in ours.keys() | theirs.keys():
            if ours[agreement] != theirs[agreement]:
                self._find(f"fen: cases of {agreement} hold {ours[agreement]} fen open, the bank's lines {theirs[agreement]}")

    def sort(self, findings: list) -> None:
        for finding in findings:
            kind = "lost"
            if re.search(r"credited [0-9]+ times|credited twice|credits stand at the bank|sent again although", finding):
                kind = "paid_twice"
            elif re.match(r"line |fen: |rows: .* sum of what", finding):
                kind = "ledger_differences"
            elif "nothing has become of it" in finding:
                kind = "stuck"
            self.found[kind].append(finding)

    def _ask(self, database: str, sql: str, arguments=()) -> list:
        connection = psycopg2.connect(host=self.socket, dbname=database, user="postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)  # without arguments a percent sign is one
                return cursor.fetchall()
        finally:
            connection.close()

    def _work_that_stands(self) -> None:
        for batch, chunk, stage, why in self._ask("dispatch", "SELECT batch_id, chunk, stage, why FROM chunk c JOIN batch b "
                                                  "USING (district, batch_id) WHERE stage NOT IN (0, 4) AND b.state <> 11"):
            self.found["stuck"].append(f"chunk {batch}/{chunk} stands in stage {stage}: {why}")
        for batch, step, why in self._ask("dispatch", f"SELECT batch_id, step, why {ARCHIVES_IN_WORK}"):
            self.found["stuck"].append(f"the archive of batch {batch} stands at step {step}: {why}")
        for file, state in self._ask("bankgateway", "SELECT file_id, state FROM file WHERE state IN (1, 2)"):
            self.found["stuck"].append(f"file {file} stands in state {state}")
        for service in PRODUCERS:
            for (waiting,) in self._ask(service, "SELECT count(*) FROM outbox"):
                if waiting:
                    self.found["stuck"].append(f"{service}: {waiting} entries of its outbox have no number")
            for producer, last, acked in self._ask(service, "SELECT producer, last_number, acked_number FROM outbox_relay"):
                if last != acked:
                    self.found["stuck"].append(f"{producer}: {last - acked} entries are not in the log")

    # --- The audit log --------------------------------------------------------------------------------------------

    def _audit(self) -> None:
        wrong = self.found["audit_differences"]
        logged = {}
        by_request = {}
        chunks, outcomes = {}, {}
        for producer, epoch, number, body in self._ask("auditlog", "SELECT producer, restore_epoch, number, body FROM entry"):
            raw = bytes(body)
            logged[(producer, epoch, number)] = hashlib.sha256(raw).digest()
            fields = dict(line.split(": ", 1) for line in raw.decode().split("\n")[1:] if ": " in line)
            if fields.get("request_id") and not fields["kind"].endswith("refused"):
                by_request.setdefault(fields["request_id"], []).append((fields["kind"], fields["subject"]))
            if fields["kind"] == "chunk.submitted" and "leaves" in fields:
                batch = int(fields["subject"].split("/")[2])
                rows, fen = chunks.get(batch, (0, 0))
                chunks[batch] = rows + int(fields["leaves"]), fen + int(fields["detail.amount_fen"])
            elif fields["kind"] == "outcomes.applied":
                for state in ("paid", "failed", "unknown", "returned"):
                    outcomes[state] = outcomes.get(state, 0) + int(fields.get(f"detail.{state}", 0))
        sent = {}
        for service in PRODUCERS:
            for producer, number, body in self._ask(service, "SELECT producer, number, body FROM outbox_number"):
                name, epoch = producer.rsplit("/", 1)
                sent[(name, int(epoch), number)] = hashlib.sha256(bytes(body)).digest()
        for key in sent.keys() - logged.keys():
            wrong.append(f"{key}: numbered and not in the log")
        for key in {one for one in logged if one[0] in PRODUCERS} - sent.keys():
            wrong.append(f"{key}: in the log, and nobody has numbered it")
        for key in sent.keys() & logged.keys():
            if sent[key] != logged[key]:
                wrong.append(f"{key}: the log has other bytes than its producer")
        for request, command in self.acknowledged:
            deeds = by_request.get(request, [])
            if command in AUDITED and not deeds:
                wrong.append(f"{command} {request} was acknowledged and is not in the log")
            # A stream tells each of its chunks under the one request.
            for deed in set(deeds):
                if deeds.count(deed) > 1:
                    wrong.append(f"{command} {request}: {' of '.join(deed)} stands {deeds.count(deed)} times in the log")
        attempts = {batch: (rows, int(fen)) for batch, rows, fen in self._ask(
            "dispatch", "SELECT batch_id, count(*), sum(amount_fen) FROM attempt GROUP BY batch_id")}
        for batch in attempts.keys() | chunks.keys():
            if attempts.get(batch) != chunks.get(batch):
                wrong.append(f"batch {batch}: {attempts.get(batch)} attempts and fen, the log says {chunks.get(batch)}")
        names = {1: "paid", 2: "failed", 3: "unknown", 4: "returned"}
        rows = {names[state]: count for state, count in self._ask(
            "dispatch", "SELECT state, count(*) FROM outcome WHERE outcome_no > 0 GROUP BY state")}
        for state in names.values():
            if rows.get(state, 0) != outcomes.get(state, 0):
                wrong.append(f"{rows.get(state, 0)} outcomes {state}, the log says {outcomes.get(state, 0)}")
