"""One seed's work: a small city whose batches go all the way, others that are returned and cancelled wherever a batch can
be, objections, repairs and a new policy; by officers who work side by side and ask again when an answer is lost."""
import argparse
import contextlib
import csv
import itertools
import json
import pathlib
import random
import re
import shutil
import tempfile
import threading
import time
import uuid

from budget_work import BudgetWork
from cases import Cases, odd_lines
from repairs import Repairs
from run import DATA, LAST_DAY, REVIEWERS, Ctl, Demo, DemoError, yuan


# What may pass: the same request is sent again under its id.
PASSING = re.compile(r"reason: (STORAGE_FULL|DATABASE_BUSY|DATABASE_CONFLICT|DATABASE_UNAVAILABLE|COMMIT_UNKNOWN|OVERLOADED|"
                     r"RATE_LIMITED|SHUTTING_DOWN|PEER_UNAVAILABLE|AUDIT_BACKLOG|"
                     # A replica that has not heard of the new date yet.
                     r"NOTICE_RUNNING)\n")
# While a clock is an hour off, tokens are not yet good or no longer.
BY_THE_CLOCK = re.compile(r"reason: (TOKEN_EXPIRED|TOKEN_INVALID)\n")
PATIENCE_S = 300
QUIET_TIMEOUT_S = 300
CALL_TIMEOUT_S = 20

# Where a batch that never pays ends: its steps, then how it goes away.
DETOURS = (("cancel",), ("seal", "cancel"), ("seal", "notice", "cancel"), ("seal", "notice", "close", "cancel"),
           ("seal", "notice", "close", "review", "cancel"), ("seal", "notice", "close", "review", "fund", "cancel"),
           ("seal", "return", "cancel"), ("seal", "notice", "return", "cancel"),
           ("seal", "notice", "close", "return", "cancel"),
           ("seal", "notice", "close", "review", "return", "cancel"), ("seal", "notice", "return", "correct", "cancel"))
DETOUR_PERIOD = "2026-01"
DETOUR_PLANS = ("p024-105", "p024-115", "p024-116", "p008-116", "p026-105")
DETOUR_ROWS = 12
# One of these is paid whole and closed before the bank takes some of it back.
RETURNING = ("p024-105", "p024-115", "p024-116", "p026-105")
STATE_AFTER = {"open": "COLLECTING", "seal": "SEALED", "notice": "NOTICED", "close": "IN_REVIEW", "review": "APPROVED",
               "fund": "FUNDED", "return": "RETURNED", "correct": "COLLECTING"}
# When the steps of a detour are taken; a batch goes away right after the last of them.
TAKEN_AT = {"seal": "collect", "notice": "publish", "close": "close", "review": "review", "fund": "fund"}


def transitions_of(path: tuple) -> set:
    """Those of a detour that no other batch takes, as points name them."""
    states = [STATE_AFTER[step] for step in ("open", *path[:-1])]
    return {f"{state}.{step}" for state, step in zip(states, path) if step in ("return", "cancel", "correct")}


def detours_of(seed: int, aimed: set) -> list:
    """Three detours a seed: first those that a failpoint of the seed waits on, then in turn."""
    turn = [DETOURS[(seed * 3 + number) % len(DETOURS)] for number in range(len(DETOURS))]
    return sorted(turn, key=lambda path: not transitions_of(path) & aimed)[:3]


class Stuck(Exception):
    """Something does not come to its end though nothing is missing."""

    def __init__(self, what: str, items: int):
        super().__init__(what)
        self.items = max(1, items)


class PatientCtl(Ctl):
    """yktctl that asks again under the same request id when a service is away, and keeps what was acknowledged."""

    def __init__(self, stack, seed: int, clock_moved: threading.Event, check=lambda: None):
        """`check` raises where asking again is in vain."""
        super().__init__(stack)
        self.check = check
        self.options = ["--endpoints", str(stack.state / "endpoints.json"), "--json", "--timeout", str(CALL_TIMEOUT_S)]
        self.seed = seed
        self.clock_moved = clock_moved
        self.mutex = threading.Lock()
        self.calls = 0
        self.repeated = 0
        self.acknowledged = []  # (request id, command) of what was answered with success

    def __call__(self, person: str, *arguments, accept=(0,)):
        with self.mutex:
            self.calls += 1
            request = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{self.calls}"))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = super().__call__(person, "--request-id", request, *arguments, accept=accept)
                command = " ".join(itertools.takewhile(re.compile("[a-z-]+").fullmatch, map(str, arguments)))
                # Nothing to send again is nothing done.
                if command != "batch reissue" or int(answer["reissued"]):
                    with self.mutex:
                        self.acknowledged.append((request, command))
                return answer
            except DemoError as error:
                text = str(error)
                passing = ": exit 3\n" in text or PASSING.search(text + "\n") or \
                    (self.clock_moved.is_set() and BY_THE_CLOCK.search(text + "\n"))
                if not passing or time.monotonic() > deadline:
                    raise
                self.check()
                with self.mutex:
                    self.repeated += 1
                time.sleep(0.15)  # as a client would, so as not to bury who is just starting


class City(Demo):
    settle_timeout_s = QUIET_TIMEOUT_S
    late_is_asked_about = False  # and cannot tell what it has not taken yet
    poll_s = 0.3  # two cities share a machine
    every_return_is_booked = False  # faults of the bank make returns that are cases

    def __init__(self, stack, seed: int, payments: int, faults=None):
        super().__init__(argparse.Namespace(payments=payments, seed=seed), stack)
        self.seed = seed
        # Its officers' own disk: the one that a fault fills is the services'.
        self.input = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-city-"))
        self.faults = faults
        self.draw = random.Random(f"city-{seed}")
        self.ctl = PatientCtl(stack, seed, faults.clock_moved, faults.keeper.check) if faults else \
            PatientCtl(stack, seed, threading.Event())
        self.detours = {}  # batch id -> described detour
        self.upheld = 0
        self.given_up = 0  # items that had no way and were ended
        self.open_objections = 0

    def end(self) -> None:
        self.ctl.close()
        shutil.rmtree(self.input, ignore_errors=True)

    @contextlib.contextmanager
    def stage(self, name: str):
        start = time.monotonic()
        if self.faults is not None:
            self.faults.begin(name)
        yield
        self.stages[name] = round(self.stages.get(name, 0) + time.monotonic() - start, 2)

    def prepare(self) -> None:
        super().prepare()
        self.draw.shuffle(self.plan["batches"])
        rules = json.loads((DATA / "policies.rules.json").read_text(encoding="utf-8"))
        self.rules = {rule["policy_id"]: rule for rule in rules["policies"]}

    # --- The template ---------------------------------------------------------------------------------------------

    def found(self) -> None:
        """What all seeds have in common: policies, banks, agreements, budget."""
        super().prepare()
        self.list_policies()
        self.agree_with_banks()
        self.appropriate()
        self.end()

    # --- Beside the main flow -------------------------------------------------------------------------------------

    def misbehave(self) -> None:
        """How the bank behaves in this seed."""
        draw = self.draw
        wanted = {"fail-permille": draw.randint(5, 60), "return-permille": draw.randint(5, 40),
                  "return-after-days": draw.randint(1, 3), "late-permille": draw.randint(5, 40),
                  "late-days": draw.choice((1, 4, 5, 9)), "lost-answer-permille": draw.choice((0, 100, 400)),
                  "refuse-file-permille": draw.choice((0, 0, 60)), "repeat-permille": draw.randint(0, 50),
                  "second-debit-permille": draw.randint(10, 60), "foreign-debit-permille": draw.randint(10, 60),
                  "stray-reversal-permille": draw.randint(10, 80), "correct-after-days": draw.choice((0, 2, 2, 3))}
        self.behaviour = wanted
        self.behave(wanted)

    def behave(self, wanted: dict) -> None:
        self.bank_faults(wanted)
        self.trouble("BANK_FUNDS", True)

    def new_policy(self) -> None:
        """A policy is drafted, submitted and published, and another one is rejected."""
        with (DATA / "policies.csv").open(encoding="utf-8", newline="") as source:
            rows = csv.DictReader(source)
            fields = rows.fieldnames
            row = next(one for one in rows if one["policy_id"] == "P024")
        rule = self.rules["P024"]
        names = ("P901", "P902")
        with (self.input / "new-policies.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, fields)
            writer.writeheader()
            for name in names:
                writer.writerow(row | {"policy_id": name})
        own = [rule | {"policy_id": name, "versions": rule["versions"][-1:]} for name in names]
        (self.input / "new-rules.json").write_text(json.dumps({"policies": own}, ensure_ascii=False), encoding="utf-8")
        kind, district = rule["department_id"].split(".")
        operator = f"operator-{kind}-{district}-1"
        self.ctl("system-admin-1", "policy", "import", "--policies", self.input / "new-policies.csv", "--rules",
                 self.input / "new-rules.json")
        for name in names:
            self.ctl(operator, "policy", "submit", "--policy", name, "--version", 1)
        self.ctl("conference-1", "policy", "approve", "--policy", names[0], "--version", 1)
        self.ctl("conference-1", "policy", "reject", "--policy", names[1], "--version", 1, "--reason", "依据不足")
        self.ctl(operator, "policy", "publish", "--policy", names[0], "--version", 1)
        for number, approve in enumerate(("yes", "no"), start=1):
            # Of a year in which nobody is paid here.
            made = self.ctl("operator-hrss-120105-1", "policy", "exemption", "create", "--district", "120105", "--field",
                            "HRSS", "--policy", names[0], "--reason", "系统改造", "--valid-from", f"2030-0{number}-01", "--valid-to",
                            f"2030-0{number}-20")
            self.ctl("conference-1", "policy", "exemption", "decide", "--id", made["exemption_id"], "--approve", approve)

    # --- Batches that never pay -----------------------------------------------------------------------------------

    def start_detours(self) -> None:
        aimed = {point.removeprefix("batch.").rsplit(".", 1)[0] for _, point, _ in self.faults.points}
        paths = detours_of(self.seed, aimed)
        described = {batch["key"]: batch for batch in self.plan["batches"]}

        def one(chosen) -> None:
            number, path = chosen
            like = described[DETOUR_PLANS[number % len(DETOUR_PLANS)]]
            name = self.input / f"detour-{number}.csv"
            with (self.input / like["file"]).open(encoding="utf-8", newline="") as source, \
                    name.open("w", encoding="utf-8", newline="") as out:
                rows = csv.DictReader(source)
                writer = csv.DictWriter(out, rows.fieldnames)
                writer.writeheader()
                kept = [row for row in rows if not row["amount"].startswith("-")][:DETOUR_ROWS]
                writer.writerows(row | {"row": place} for place, row in enumerate(kept, start=1))
            total = sum(int(row["amount"].replace(".", "")) for row in kept)
            batch = like | {"path": path, "key": f"detour-{number}"}
            operator = self.officer(batch, "operator")
            made = self.ctl(operator, "batch", "create", "--district", batch["district"], "--department",
                            batch["department_id"], "--policy", batch["policy_id"], "--period", DETOUR_PERIOD, "--count",
                            len(kept), "--total", yuan(total))
            own = int(made["batch_id"])
            self.ctl(operator, "batch", "upload", "--id", own, name, accept=(0, 4))
            self.detours[own] = batch

        self.each(list(enumerate(paths)), one)
        self.detour("collect")

    def detour(self, now: str) -> None:
        """Takes the steps that are due now with each batch that never pays."""
        def one(pair) -> None:
            own, batch = pair
            path = batch["path"]
            while batch.setdefault("taken", 0) < len(path):
                step = path[batch["taken"]]
                if TAKEN_AT.get(step, now) != now:
                    return
                self.take(own, batch, step)
                batch["taken"] += 1

        self.each(list(self.detours.items()), one)

    def take(self, own: int, batch: dict, step: str) -> None:
        operator = self.officer(batch, "operator")
        if step == "seal":
            sealed = self.ctl(operator, "batch", "seal", "--id", own)
            if int(sealed["unexplained_departures"]):
                self.ctl(operator, "batch", "explain", "--id", own, "--reason", "不再符合条件")
        elif step == "notice":
            self.ctl(operator, "batch", "publish-notice", "--id", own)
            self.ctl(operator, "batch", "attach", "--id", own, "--kind", "notice_photo", "--media-type", "image/jpeg",
                     self.input / "notice-photo.jpg")
        elif step == "close":
            self.ctl(operator, "batch", "close-notice", "--id", own)
        elif step == "review":
            self._review(own, batch)
        elif step == "return":
            # By who takes the next step; an approved one by who took its last, as another person than those before.
            steps = [one["step"] for one in self.rules[batch["policy_id"]]["versions"][-1]["review_steps"]]
            approved = batch["path"][batch["taken"] - 1] == "review"
            wanted = steps[-1] if approved else steps[0]
            person = self._reviewer(wanted, batch)
            if approved:
                # It waits for no step any more, so none is named.
                wanted, person = "", person[:-1] + "2"
            self.ctl(person, "batch", "review", "--id", own, "--step", wanted, "--approve", "no", "--comment", "名单需要更正")
        elif step == "fund":
            self.ctl(self.officer(batch, "finance"), "batch", "fund", "--id", own)
        elif step == "correct":
            made = self.ctl(operator, "repair", "correct", "--id", own, "--count", "1", "--total", "100.00", "--reason",
                            "更正名单")
            # From here on the way goes on with the other; both end cancelled.
            self.detours[int(made["batch_id"])] = batch | {"path": batch["path"][batch["taken"] + 1:], "taken": 0,
                                                           "key": f"{batch['key']}-corrected"}
            batch["path"] = batch["path"][:batch["taken"] + 1]
        elif step == "cancel":
            self.ctl(operator, "batch", "cancel", "--id", own, "--reason", "名单重复")

    def _reviewer(self, step: str, batch: dict) -> str:
        kind = batch["department_id"].split(".")[0]
        return REVIEWERS[step].format(district=batch["district"], kind=kind)

    def _review(self, own: int, batch: dict) -> None:
        state = self.ctl(self.officer(batch, "operator"), "batch", "show", "--id", own)
        while state["next_step"]:
            state = self.ctl(self._reviewer(state["next_step"], batch), "batch", "review", "--id", own, "--step",
                             state["next_step"], "--approve", "yes", "--comment", "核对无误")

    # --- The steps of the main flow, drawn ------------------------------------------------------------------------

    def publish(self) -> None:
        photo = self.input / "notice-photo.jpg"
        photo.write_bytes(b"\xff\xd8\xff\xe0 a photograph of the notice board \xff\xd9")
        self.each([batch | {"own": self.batches[batch["key"]]} for batch in self.live()],
                  lambda batch: self.take(batch["own"], batch, "notice"))
        self.detour("publish")
        raised = []
        self.returning = self.draw.choice(RETURNING)
        for batch in self.draw.sample([batch for batch in self.live() if batch["key"] != self.returning], 5):
            own = self.batches[batch["key"]]
            lines = self.ctl(self.officer(batch, "operator"), "batch", "notice", "--id", own, "--page-size", "50")["lines"]
            # Of a list without names there is no item to object to.
            items = [line["item_id"] for line in lines if line.get("item_id", "0") not in ("", "0")]
            if items:
                raised.append((batch, own, self.draw.choice(items)))

        def one(objection):
            batch, own, item = objection
            return batch, own, self.ctl(self.officer(batch, "operator"), "batch", "object", "--id", own, "--item", item,
                                        "--text", "群众反映该户已不符合条件")

        raised = [one(objection) for objection in raised]
        self.pass_days(8)
        decisions = ["UPHELD", "REJECTED", "WITHDRAWN"] + self.draw.choices(("UPHELD", "REJECTED", "WITHDRAWN", ""), k=2)
        decided = list(zip(raised, decisions))

        def decide(pair):
            (batch, own, objection), decision = pair
            if decision:
                self.ctl(self.officer(batch, "reviewer"), "batch", "decide", "--id", own, "--objection",
                         objection["objection_id"], "--decision", decision, "--reason", "经入户核实")

        self.each(decided, decide)
        self.upheld = sum(decision == "UPHELD" for _, decision in decided)
        self.open_objections = sum(not decision for _, decision in decided)
        self.each(self.live(), lambda batch: self.ctl(self.officer(batch, "operator"), "batch", "close-notice", "--id",
                                                      self.batches[batch["key"]]))
        self.detour("close")

    def check_expectations(self, counted: dict) -> None:
        expected = self.plan["expected"]["stopped"] + self.given_up
        if not expected <= counted["payments"]["stopped"] <= expected + self.upheld:
            counted["differences"].append(f"{counted['payments']['stopped']} stopped, {expected} dead, cancelled and given up and "
                                          f"{self.upheld} upheld objections were foreseen")
        if counted["payments"]["held"] != self.open_objections:
            counted["differences"].append(f"{counted['payments']['held']} held, {self.open_objections} objections were left "
                                          "open")

    def give_up(self, batch: dict) -> None:
        """Ends what was not paid of a batch, so that it can be closed; not what a statement may still speak of."""
        for state in ("unroutable", "failed", "returned"):
            items = [item["item_id"] for item in self.items(batch, state) if item["reason"] != "ABANDONED"]
            if not items or not self._unless("STATEMENT_OUTSTANDING", batch, "abandon", *(
                    word for item in items for word in ("--item", item)), "--reason", "账户无法更正，终止发放"):
                continue
            if state == "unroutable":
                self.given_up += len(items)

    def close(self, batch: dict) -> None:
        """Closes a batch unless something of it may still come back, or is held."""
        self._unless("ITEMS_OPEN", batch, "close")

    def _unless(self, reason: str, batch: dict, step: str, *more) -> bool:
        """Takes a step of a batch unless it is refused for this reason; whether it was taken."""
        officer = self.officer(batch, "finance" if step == "close" else "operator")
        try:
            self.ctl(officer, "batch", step, "--id", self.batches[batch["key"]], *more)
        except DemoError as error:
            if f"reason: {reason}\n" not in f"{error}\n":
                raise
            return False
        return True

    def close_some(self) -> None:
        for number, batch in enumerate(self.live(), start=self.seed):
            shown = self.ctl("auditor-1", "batch", "show", "--id", self.batches[batch["key"]])
            if shown["state"].endswith("SETTLED"):
                if number % 4 == 0 and batch["key"] != LAST_DAY:
                    self.give_up(batch)
                self.close(batch)

    def reissue_early(self) -> None:
        """Some of what was not paid goes out again at once, uncorrected: one item of a batch, and the rest while that one is on
        its way."""
        for batch in self.draw.sample([batch for batch in self.live() if batch["key"] != LAST_DAY], 12):
            first = self.items(batch, "unroutable")[:1]
            if first:
                self._unless("BATCH_STATE", batch, "reissue", "--item", first[0]["item_id"], "--reason", "银行称可再试")
            self.reissue(batch, "银行称可再试")

    def reissue(self, batch: dict, reason: str) -> int:
        """Nothing of a batch that is closed, and of which nothing came back."""
        try:
            return super().reissue(batch, reason)
        except DemoError as error:
            if "reason: BATCH_STATE\n  state: CLOSED\n" not in f"{error}\n":
                raise
            return 0

    def pay_and_close(self, key: str) -> None:
        """One batch is paid at once and closed; days later money of it comes back."""
        nothing = dict.fromkeys(("fail-permille", "late-permille", "refuse-file-permille", "second-debit-permille",
                                 "foreign-debit-permille", "stray-reversal-permille"), 0)
        self.behave(self.behaviour | nothing | {"return-permille": 400, "return-after-days": 2})
        batch = next(one for one in self.live() if one["key"] == key)
        own = self.batches[key]
        self.release({key})
        deadline = time.monotonic() + self.settle_timeout_s
        while True:
            shown = self.ctl("auditor-1", "batch", "show", "--id", own)
            moving = int(shown["totals"]["waiting"]) + int(shown["totals"]["in_transit"]) + int(shown["totals"]["unknown"])
            if not moving and shown["state"].endswith("SETTLED"):
                break
            if time.monotonic() > deadline:
                raise Stuck(f"batch {own} is not settled: {shown['totals']}", moving)
            time.sleep(self.poll_s)
        self.behave(self.behaviour)
        self.give_up(batch)
        self.close(batch)

    def pay_one(self, batch: dict, own: int) -> None:
        """A batch that is in review, on to its payment."""
        self._review(own, batch)
        self.ctl(self.officer(batch, "finance"), "batch", "fund", "--id", own)
        self.ctl(self.officer(batch, "releaser"), "batch", "release", "--id", own)
        self.wait_until_quiet(batch["key"])

    def reconciled(self, today: str) -> bool:
        """Also the days on which nothing was sent and the bank corrected what it had done."""
        if not super().reconciled(today):
            return False
        days = {(agreement, day) for day, agreement, _, _ in odd_lines(self.stack.state / "bank-journal") if day < today}
        return not days or days <= {(one["agreement_no"], one["business_date"]) for one in self.pages("reconciliations")
                                    if one["complete"]}

    def wait_until_quiet(self, what: str) -> dict:
        try:
            return super().wait_until_quiet(what)
        except DemoError as error:
            if "does not come to rest" not in str(error):
                raise
            sums = self.totals()
            raise Stuck(f"{error}; {sums}", sums["waiting"] + sums["in_transit"] + sums["unknown"] - self.later) from error

    def pass_days(self, days: int) -> None:
        for _ in range(days):
            self.ctl("clock-admin-1", "clock", "advance", "--days", "1")
        # Each service asks five times a second; one that hangs learns it later, and is asked again (NOTICE_RUNNING).
        time.sleep(0.5)

    # --- All of it ------------------------------------------------------------------------------------------------

    def work(self, until_up) -> None:
        """The seed's work, from the people to the last day. `until_up` waits until every fault is over and all runs."""
        with self.stage("people"):
            self.misbehave()
            self.ctl("card-office-1", "person", "load", self.input / "people.csv")
            self.new_policy()
        with self.stage("collect"):
            self.collect()
            self.start_detours()
        with self.stage("publish"):
            self.publish()
        with self.stage("review"):
            self.each(self.live(), lambda batch: self._review(self.batches[batch["key"]], batch))
            self.detour("review")
        with self.stage("fund"):
            self.fund()
            self.detour("fund")
            BudgetWork(self).run()
            self.ctl("card-office-1", "person", "change", self.input / "deaths.csv", "--source", "civil_affairs")
        with self.stage("pay"):
            self.pay_and_close(self.returning)
            self.release(set(self.batches) - {LAST_DAY, self.returning})
            self.wait_until_quiet("pay")
        with self.stage("statements"):
            self.pass_days(1)
            self.wait_until_quiet("statements")
            Cases(self).run()
            self.reissue_early()
            self.wait_until_quiet("statements")
            self.pass_days(3)
            self.wait_until_quiet("statements")
        with self.stage("repair"):
            self.mend()
            self.wait_until_quiet("repair")
            self.pass_days(3)
            self.wait_until_quiet("repair")
        with self.stage("recover"):
            Repairs(self).run()
            Cases(self).run()
        with self.stage("last_day"):
            until_up()
            self.release({LAST_DAY})
            self.wait_until_quiet("last day")
            self.close_some()


