"""One history: random operations against the model and against the services, and every answer compared."""
import collections
import dataclasses
import datetime
import json

import cast
import rules
from bank import Bank
from draw import Draw, MUTATIONS
from model import Model
from services import Lost
from state import PAYING, SETTLED

# How many operations lie between two looks at everything.
FULL_LOOK_EVERY = 40
LOST_AFTER_S = 0.002
FAULTS = {"fail_permille": 130, "return_permille": 90, "return_after_days": 2, "late_permille": 130, "late_days": 4,
          "lost_answer_permille": 150, "repeat_permille": 60, "refuse_file_permille": 40}


@dataclasses.dataclass
class Disagreement(Exception):
    step: int
    operation: dict
    expected: object
    actual: object
    where: str

    def __str__(self) -> str:
        lines = [f"operation {self.step}: {json.dumps(self.operation, ensure_ascii=False, default=str)}", f"in {self.where}:"]
        for path, expected, actual in differences(self.expected, self.actual):
            lines.append(f"  {path or 'answer'}: the model says {expected!r}, the services {actual!r}")
        return "\n".join(lines)


def differences(expected, actual, path: str = "") -> list:
    """Where two answers differ, by their smallest parts."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key in sorted(set(expected) | set(actual), key=str):
            found += differences(expected.get(key), actual.get(key), f"{path}.{key}" if path else str(key))
        return found
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)) and len(expected) == len(actual):
        return [one for number, (a, b) in enumerate(zip(expected, actual))
                for one in differences(a, b, f"{path}[{number}]")]
    return [] if expected == actual else [(path, expected, actual)]


@dataclasses.dataclass
class Coverage:
    """What was done, and refused for what, over all histories of a run."""
    done: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    refused: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # (operation, reason)
    rows: collections.Counter = dataclasses.field(default_factory=collections.Counter)     # reasons of rows
    items: collections.Counter = dataclasses.field(default_factory=collections.Counter)    # states and reasons at the end
    repeated: int = 0
    lost: int = 0
    compared: int = 0

    def operations(self) -> int:
        return sum(self.done.values()) + sum(self.refused.values())


class History:
    """`run` numbers the histories of one stack; a replay is another run of the same seed."""

    def __init__(self, services, journal, seed: int, run: int, coverage: Coverage):
        self.services, self.seed, self.run, self.coverage = services, seed, run, coverage
        self.bank = Bank(journal)
        self.firsts = {}  # (organisation, request id) -> first answer, byte by byte
        self.course = []  # the operations so far, each with the batch that it made
        self.step = 0
        self.operation = {}

    def begin(self) -> None:
        services = self.services
        services.start()
        date = services.must("clock", "auditor-1", "GetBusinessDate", services.catalogue.GetBusinessDateRequest()).date
        self.started_on = date
        today = datetime.date.fromisoformat(date)
        callers = {name: rules.Caller(name, one["organisation"], frozenset(one["roles"]), frozenset(one["fields"]),
                                      frozenset(one["districts"])) for name, one in services.endpoints["people"].items()}
        people, listed = cast.people(self.seed, self.run, today), cast.policies(self.run)
        cast.enter(services, people, listed, self.seed, self.run)
        for one in cast.agreements():
            services.must("gateway", "bank-admin-1", "SetAgreementState", services.gateway.SetAgreementStateRequest(
                request_id=f"model-{self.run}-{one.number}", agreement_no=one.number, suspended=False, reason="开始"))
        services.must("bank", "system-admin-1", "SetFaults", services.bank.SetFaultsRequest(
            faults={"seed": self.seed, **FAULTS}))
        self.model = Model(callers, listed, people, cast.agreements(), cast.departments(), cast.CARD_DISTRICTS,
                           today)
        self.draw = Draw(self.seed, self.run, self.model)
        services.wait_for_date(today)

    # --- Playing ------------------------------------------------------------------------------------------------------

    def play(self, operations: int) -> None:
        self.begin()
        for self.step in range(1, operations + 1):
            self.operation = self.draw.operation()
            self._record(self.operation)
            if self.step % FULL_LOOK_EVERY == 0:
                self._look_at_everything()
        self._look_at_everything()
        for batch in self.model.batches:
            for item in batch.items.values():
                self.coverage.items[(item.state, item.reason)] += 1

    def replay(self, course: list) -> None:
        """Plays a course of operations again, less those that speak of a batch which is not made this time."""
        self.begin()
        place = {}
        for operation in course:
            again = {key: value for key, value in operation.items() if key != "makes"}
            if any(again.get(name) is not None and again[name] not in place for name in ("batch", "of") if name in again):
                continue
            again |= {name: place[again[name]] for name in ("batch", "of") if again.get(name) is not None}
            self.step += 1
            self.operation = again
            before = len(self.model.batches)
            self._record(again)
            if len(self.model.batches) > before:
                place[operation.get("makes")] = before
        self._look_at_everything()

    def _record(self, operation: dict) -> None:
        """Plays one operation, and keeps it for a replay."""
        self.course.append(operation)
        before = len(self.model.batches)
        self._play(operation)
        if len(self.model.batches) > before:
            self.course[-1] = {**operation, "makes": before}

    def _play(self, operation: dict) -> None:
        model, services = self.model, self.services
        if operation["op"] not in MUTATIONS:
            expected = model.apply(operation)
            self._agree(expected, services.query(model, operation), "the answer")
            self._count(operation, expected)
            return
        # The request is written down before it is sent, and sent before the model knows what comes of it.
        kind, method, request = services.request(model, operation)
        lost = operation.get("lost", False)
        if lost:
            self._lose(kind, operation["as"], method, request)
        reason, answer = services.call(kind, operation["as"], method, request)
        batches = len(model.batches)
        expected, wanted = model.apply(operation)
        if len(model.batches) > batches:
            model.batches[-1].number = answer.batch_id if answer is not None else 0
            self.draw.opened(operation, model.batches[-1])
        if operation["op"] == "create_line" and not expected and answer is not None:
            model.lines[wanted["line"]].number = answer.line_id
        view = None if reason else services.answer_view(model, operation, answer)
        self._agree((expected, wanted), (reason, view), "the answer")
        self._count(operation, (expected, wanted))
        if answer is not None and operation.get("id"):
            self._same_as_first(operation, method, request, answer)
        self._follow(operation, expected)

    def _lose(self, kind: str, person: str, method: str, request) -> None:
        """A call that is given up on at once: whether it was done is not known, and the same request is sent again."""
        self.coverage.lost += 1
        try:
            self.services.call(kind, person, method, request, timeout=LOST_AFTER_S)
        except Lost:
            pass

    def _same_as_first(self, operation: dict, method: str, request, answer) -> None:
        key = (self.model.callers[operation["as"]].organisation, operation["id"])
        said = answer.SerializeToString(deterministic=True)
        first = self.firsts.setdefault(key, said)
        if first is not said:
            self.coverage.repeated += 1
        self._agree(first, said, "the first answer, byte by byte")

    def _count(self, operation: dict, expected: tuple) -> None:
        reason, answer = expected
        if reason:
            self.coverage.refused[(operation["op"], reason)] += 1
            return
        self.coverage.done[operation["op"]] += 1
        if operation["op"] == "upload":
            self.coverage.rows.update(fault for _, fault, _ in answer["faults"])

    def _agree(self, expected, actual, where: str) -> None:
        self.coverage.compared += 1
        if differences(expected, actual):
            raise Disagreement(self.step, self.operation, expected, actual, where)

    # --- Looking ------------------------------------------------------------------------------------------------------

    def _follow(self, operation: dict, refused: str) -> None:
        """Waits for what works by itself, then compares all that the operation can have touched."""
        model = self.model
        if operation["op"] == "advance" and not refused:
            self._new_day()
        elif operation["op"] in ("release", "reissue", "decide") and not refused:
            self._settle()
        key = operation.get("batch")
        if isinstance(key, int) and 0 <= key < len(model.batches):
            batch = model.batches[key]
        elif operation["op"] == "create" and not refused and model.batches:
            batch = model.batches[-1]
        else:
            batch = None
        if batch is not None:
            self._look_at(batch, money=operation["op"] in ("fund", "release", "cancel", "decide", "reissue", "abandon"))
        elif operation["op"] in ("create_line", "appropriate"):
            line = operation.get("line", ("", operation.get("policy")))
            self._look_at_money(line[1])

    def _look_at(self, batch, money: bool) -> None:
        services, model = self.services, self.model
        query = {"op": "get", "as": "auditor-1", "batch": batch.key}
        self._agree(model.apply(query), services.query(model, query), f"batch {batch.key}")
        query = {"op": "list_items", "as": "auditor-1", "batch": batch.key, "state": ""}
        self._agree(model.apply(query), services.query(model, query), f"the items of batch {batch.key}")
        if money:
            self._look_at_money(batch.policy.policy_id)

    def _look_at_money(self, policy: str) -> None:
        query = {"op": "list_lines", "as": "auditor-1", "policy": policy, "district": 0}
        self._agree(self.model.apply(query), self.services.query(self.model, query), f"the lines of {policy}")

    def _look_at_everything(self) -> None:
        model, services = self.model, self.services
        for batch in model.batches:
            self._look_at(batch, money=False)
            for name, more in (("list_rejections", {}), ("list_departures", {"unexplained": False})):
                query = {"op": name, "as": "auditor-1", "batch": batch.key, **more}
                self._agree(model.apply(query), services.query(model, query), f"{name} of batch {batch.key}")
        for policy in model.policies:
            self._look_at_money(policy)
        for key, line in model.lines.items():
            query = {"op": "list_ledger", "as": "auditor-1", "line": key, "district": line.district}
            self._agree(model.apply(query), services.query(model, query), f"the ledger of {key}")

    # --- Waiting ------------------------------------------------------------------------------------------------------

    def _new_day(self) -> None:
        model, services = self.model, self.services
        services.wait_for_date(model.today)
        days = {(attempt.agreement, attempt.sent_on.isoformat()) for batch in model.batches for item in batch.items.values()
                for attempt in item.attempts if attempt.sent_on < model.today}
        if days:
            try:
                services.wait(lambda: days <= services.reconciled(), "the statements")
            except TimeoutError:
                raise Disagreement(self.step, self.operation, sorted(days), sorted(days & services.reconciled()),
                                   "the statements that were compared") from None
        self._settle()

    def _settle(self) -> None:
        """Until the bank has done all that is due, and dispatch shows what follows from it."""
        model, services, bank = self.model, self.services, self.bank
        last = ["nothing", "nothing"]

        def holds() -> bool:
            bank.read()
            missing = model.learn(bank)
            if missing or bank.overdue(model.today):
                last[:] = [f"a bank that has {missing[:3]}, and nothing overdue", f"{bank.overdue(model.today)} overdue"]
                return False
            for batch in model.batches:
                if batch.state in (PAYING, SETTLED):
                    query = {"op": "get", "as": "auditor-1", "batch": batch.key}
                    last[:] = [model.apply(query), services.query(model, query)]
                    if differences(*last):
                        return False
            return True

        try:
            services.wait(holds, "rest")
        except TimeoutError:
            raise Disagreement(self.step, self.operation, *last, "what the services come to rest with") from None
