"""What must hold after a seed: the reckoning of the demonstration, and besides it the audit log joined both ways with
every outbox, with what was acknowledged, and with the rows that its entries speak of."""
import hashlib
import re

import psycopg2

from reckoning import Reckoning

PRODUCERS = ("catalogue", "registry", "dispatch", "bankgateway")
# Commands whose success must stand in the log under their request id, once.
AUDITED = ("batch create", "batch seal", "batch publish-notice", "batch attach", "batch object", "batch decide",
           "batch close-notice", "batch review", "batch fund", "batch release", "batch close", "batch reissue",
           "policy submit", "policy approve", "policy reject", "policy publish")
KINDS = ("lost", "paid_twice", "ledger_differences", "audit_differences", "stuck")


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
        self._work_that_stands()
        self._audit()
        return report

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
                cursor.execute(sql, arguments)
                return cursor.fetchall()
        finally:
            connection.close()

    def _work_that_stands(self) -> None:
        for batch, chunk, stage, why in self._ask("dispatch", "SELECT batch_id, chunk, stage, why FROM chunk c JOIN batch b "
                                                  "USING (district, batch_id) WHERE stage NOT IN (0, 4) AND b.state <> 11"):
            self.found["stuck"].append(f"chunk {batch}/{chunk} stands in stage {stage}: {why}")
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
                by_request.setdefault(fields["request_id"], []).append(fields["kind"])
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
            kinds = by_request.get(request, [])
            if command in AUDITED and not kinds:
                wrong.append(f"{command} {request} was acknowledged and is not in the log")
            for kind in set(kinds):
                if kinds.count(kind) > 1:
                    wrong.append(f"{command} {request}: {kind} stands {kinds.count(kind)} times in the log")
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
