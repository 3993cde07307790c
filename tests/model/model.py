"""The suite's rules as one single-threaded program that keeps everything in plain dictionaries.

An operation is a dictionary: `op` names it, `as` the person, `id` the request id, the rest are its arguments. `apply` answers
what the services must answer: a reason of refusal, or what the answer must show. What the bank did is an input (`learn`);
everything that follows from it is the model's own.
"""
import dataclasses
import datetime

import rules
from rules import Period, month_number

COLLECTING, SEALED, NOTICED, IN_REVIEW, APPROVED, FUNDED, PAYING, SETTLED, CLOSED, RETURNED, CANCELLED = range(1, 12)
# The table of a batch's states: event -> {from: to}.
NEXT = {
    "seal": {COLLECTING: SEALED}, "publish": {SEALED: NOTICED}, "close_notice": {NOTICED: IN_REVIEW},
    "approve": {IN_REVIEW: APPROVED}, "fund": {APPROVED: FUNDED}, "release": {FUNDED: PAYING},
    "reissue": {PAYING: PAYING, SETTLED: PAYING}, "close": {SETTLED: CLOSED},
    "return": {state: RETURNED for state in (SEALED, NOTICED, IN_REVIEW, APPROVED)},
    "cancel": {state: CANCELLED for state in (COLLECTING, SEALED, NOTICED, IN_REVIEW, APPROVED, FUNDED, RETURNED,
                                              CANCELLED)},
}
SOURCES = ("central", "city", "district", "fund")
ITEM_STATES = ("collected", "held", "stopped", "unroutable", "waiting", "in_transit", "paid", "failed", "unknown",
               "returned", "cancelled")
MOST_ATTEMPTS = 99
# What the bank's codes of a failed row mean (domain facts, section 5).
BANK_REASONS = {
    "BANK_ACCOUNT_INVALID": (3004, 3030), "BANK_ACCOUNT_NOT_FOUND": (3009,), "BANK_NAME_MISMATCH": (3031, 3065),
    "BANK_ACCOUNT_CLOSED": (3018, 3039), "BANK_ACCOUNT_FROZEN": (3017,), "BANK_ACCOUNT_LOST": (3006, 3016, 3020),
    "BANK_CARD_INACTIVE": (3010, 3037), "BANK_DORMANT": (3069,), "BANK_ACCOUNT_TYPE": (3034, 3068),
    "BANK_LIMIT": (3013, 3055), "BANK_AMOUNT": (3040,), "BANK_ACCOUNT_STATE": (3057,), "BANK_DECEASED": (3070,),
    "BANK_OTHER": (3999,)}
REASON_OF_CODE = {code: reason for reason, codes in BANK_REASONS.items() for code in codes}


class Refused(Exception):
    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class OneOf(frozenset):
    """An answer that may name any of several: a row that two policies exclude is refused for one of them."""

    def __eq__(self, other) -> bool:
        return other in iter(self)

    __hash__ = frozenset.__hash__


def require(fits: bool, reason: str) -> None:
    if not fits:
        raise Refused(reason)


@dataclasses.dataclass
class Person:
    key: int
    id_no: str
    name: str
    born: datetime.date
    district: int
    village: int
    household: "int | None"
    role: str
    guardian: "int | None" = None
    card_state: str = ""       # ACTIVE, LOST, NOT_ACTIVE, CANCELLED; empty for no card
    bank: str = ""
    older_bank: str = ""
    died: "datetime.date | None" = None


@dataclasses.dataclass
class Agreement:
    number: str
    district: int
    bank: str
    others: bool
    suspended: bool = False


@dataclasses.dataclass
class Attempt:
    number: int
    agreement: str
    sent_on: datetime.date
    social: bool
    state: str = "in_transit"
    reason: str = ""
    told: bool = False         # whether the gateway ever told an outcome


@dataclasses.dataclass
class Item:
    row: int
    person: int
    payee: int
    fen: int
    own: list                  # claims
    edges: list                # (edge claim, the other policy)
    state: str = "waiting"
    reason: str = ""
    abandoned: bool = False
    attempts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Line:
    district: int
    policy: str
    year: int
    source: str
    number: int = 0            # as the service numbers it; learnt from its answer
    accounts: dict = dataclasses.field(default_factory=dict)
    moves: dict = dataclasses.field(default_factory=dict)  # (debit, credit) -> fen

    def move(self, debit: str, credit: str, fen: int) -> None:
        if fen:
            self.accounts[debit] = self.accounts.get(debit, 0) + fen
            self.accounts[credit] = self.accounts.get(credit, 0) - fen
            self.moves[(debit, credit)] = self.moves.get((debit, credit), 0) + fen

    def of(self, account: str) -> int:
        return self.accounts.get(account, 0)

    def view(self) -> dict:
        return {"district": self.district, "policy": self.policy, "year": self.year, "source": self.source,
                "appropriated": -self.of("appropriation"), "available": self.of("available"),
                "reserved": self.of("reserved"), "in_transit": self.of("in_transit"), "paid": self.of("paid")}


@dataclasses.dataclass
class Batch:
    key: int
    district: int
    department: str
    policy: rules.Policy
    period: Period
    count: int
    fen: int
    created_by: str
    pay_on: "datetime.date | None"
    number: int = 0            # as the service numbers it
    first_item: int = 0        # likewise; 0 until it was seen
    state: int = COLLECTING
    reason: str = ""
    chunks: dict = dataclasses.field(default_factory=dict)      # number -> (rows, answer)
    uploaded: int = 0
    uploaded_fen: int = 0
    refused: list = dataclasses.field(default_factory=list)     # (row, reason)
    items: dict = dataclasses.field(default_factory=dict)       # row -> Item
    departures: dict = dataclasses.field(default_factory=dict)  # person -> [fen, reason]
    notice: "tuple | None" = None                               # first and last day
    objections: list = dataclasses.field(default_factory=list)  # [row, state, by]
    reviews: list = dataclasses.field(default_factory=list)     # (step, person, approved, comment)
    evidence: dict = dataclasses.field(default_factory=dict)    # hash -> kind
    lines: list = dataclasses.field(default_factory=list)
    year: int = 0
    came_back: list = dataclasses.field(default_factory=list)   # fen of each
    seen: bool = True

    def next(self, event: str) -> int:
        require(self.state in NEXT[event], "BATCH_STATE")
        return NEXT[event][self.state]

    def next_step(self) -> str:
        taken = sum(1 for _, _, approved, _ in self.reviews if approved)
        return self.policy.steps[taken] if self.state == IN_REVIEW and taken < len(self.policy.steps) else ""

    def move(self, debit: str, credit: str, fen: int) -> None:
        for line, part in zip(self.lines, rules.split(fen, self.policy.funding)):
            line.move(debit, credit, part)

    def in_state(self, *states) -> list:
        return [item for item in self.items.values() if item.state in states]

    def settle(self) -> None:
        if self.state == PAYING and not self.in_state("waiting", "in_transit"):
            self.state = SETTLED

    def totals(self) -> dict:
        found = {"accepted": len(self.items), "accepted_fen": sum(item.fen for item in self.items.values()),
                 "rejected": self.uploaded - len(self.items)}
        for name, states in (("held", ("held",)), ("stopped", ("stopped", "cancelled")), ("unroutable", ("unroutable",)),
                             ("waiting", ("waiting",)), ("in_transit", ("in_transit",)), ("paid", ("paid",)),
                             ("failed", ("failed",)), ("unknown", ("unknown",)), ("returned_open", ("returned",))):
            among = self.in_state(*states)
            found[name], found[f"{name}_fen"] = len(among), sum(item.fen for item in among)
        found["returned"], found["returned_fen"] = len(self.came_back), sum(self.came_back)
        again = [item for item in self.in_state("paid") if item.attempts[-1].number > 1]
        found["reissued_paid"], found["reissued_paid_fen"] = len(again), sum(item.fen for item in again)
        found["not_converted"] = sum(1 for item in self.items.values() if item.attempts and not item.attempts[0].social)
        return found

    def view(self) -> dict:
        return {"state": self.state, "district": self.district, "department": self.department,
                "policy": self.policy.policy_id, "period": self.period.text(), "count": self.count, "fen": self.fen,
                "created_by": self.created_by, "pay_on": self.pay_on.isoformat() if self.pay_on else "",
                "reason": self.reason, "reviews": list(self.reviews), "next_step": self.next_step(),
                "unexplained": sum(1 for _, reason in self.departures.values() if not reason),
                "evidence": len(self.evidence), "totals": self.totals()}

    def item_view(self, item: Item) -> dict:
        state, reason = item.state, item.reason
        if self.state == CANCELLED:
            state, reason = "cancelled", "BATCH_CANCELLED"
        elif self.state == COLLECTING:
            state = "collected"
        elif item.abandoned:
            # What was sent and given up counts as what it was, and is listed as what became of it.
            state, reason = "stopped", "ABANDONED"
        last = item.attempts[-1].number if item.attempts else 0
        if state == "waiting" and last:
            # Its last attempt still speaks while the next one is on its way; never seen at rest.
            state = item.attempts[-1].state
        return {"row": item.row, "fen": item.fen, "state": state, "reason": reason, "attempt": last,
                "person": item.person}


class Model:
    def __init__(self, callers: dict, policies: list, people: list, agreements: list, card_districts: set,
                 today: datetime.date):
        self.callers = callers
        self.policies = {policy.policy_id: policy for policy in policies}
        self.people = people
        self.by_id = {person.id_no: person for person in people}
        self.agreements = {agreement.number: agreement for agreement in agreements}
        self.card_districts = card_districts
        self.today = today
        self.batches = []
        self.lines = {}         # (district, policy, year, source) -> Line
        self.targets = {}       # (district, policy, year) -> [set by, approved]
        self.claims = {}        # (policy, slot, kind, key) -> (batch, row)
        self.edges = {}         # (edge, slot, kind, key) -> [policy, holders]
        self.requests = {}      # (organisation, id) -> (content, answer)

    # --- Asking -------------------------------------------------------------------------------------------------------

    def apply(self, operation: dict) -> tuple:
        """(reason, answer); the reason is empty where it is done. A refusal changes nothing."""
        caller = self.callers[operation["as"]]
        try:
            require(caller.may(operation["op"]), "PERMISSION_DENIED")
            if "id" in operation:
                require(operation["id"] != "", "REQUEST_ID_MISSING")
            return "", getattr(self, f"do_{operation['op']}")(caller, operation)
        except Refused as refusal:
            return refusal.reason, None

    @staticmethod
    def content(operation: dict) -> tuple:
        """What a request says, apart from who says it."""
        return tuple(sorted((key, repr(value)) for key, value in operation.items() if key not in ("as", "lost")))

    def kept(self, caller, operation: dict):
        found = self.requests.get((caller.organisation, operation["id"]))
        if found is None:
            return None
        require(found[0] == self.content(operation), "REQUEST_ID_REUSED")
        return found[1]

    def same(self, caller, operation: dict):
        """The first answer to this very request; an id that was used otherwise says nothing yet."""
        found = self.requests.get((caller.organisation, operation["id"]))
        return found[1] if found is not None and found[0] == self.content(operation) else None

    def once(self, caller, operation: dict, work):
        answer = self.kept(caller, operation)
        if answer is None:
            answer = work()
            self.requests[(caller.organisation, operation["id"])] = (self.content(operation), answer)
        return answer

    def find(self, caller, key) -> Batch:
        require(isinstance(key, int) and 0 <= key < len(self.batches), "BATCH_UNKNOWN")
        batch = self.batches[key]
        require(caller.in_district(batch.district) and caller.in_field(batch.policy.field), "BATCH_UNKNOWN")
        return batch

    @staticmethod
    def check_reason(text: str, most: int = rules.MOST_REASON) -> None:
        require(text != "", "REASON_MISSING")
        require(len(text) <= most, "FIELD_INVALID")

    # --- Collecting ---------------------------------------------------------------------------------------------------

    def do_create(self, caller, operation):
        if operation["pay_on"]:
            try:
                pay_on = datetime.date.fromisoformat(operation["pay_on"])
            except ValueError:
                raise Refused("FIELD_INVALID") from None
        else:
            pay_on = None
        answer = self.kept(caller, operation)
        if answer is not None:
            return answer
        require(caller.in_district(operation["district"]), "DISTRICT_FOREIGN")
        require(operation["count"] >= 1, "BATCH_EMPTY")
        require(operation["count"] <= rules.MOST_BATCH_ROWS and operation["fen"] <= rules.MOST_BATCH_FEN, "BATCH_TOO_LARGE")
        require(operation["fen"] >= 1, "FIELD_INVALID")
        period = Period.parse(operation["period"])
        require(period is not None, "PERIOD_INVALID")
        require(pay_on is None or pay_on >= self.today, "PAY_DATE_PAST")
        policy = self.policies.get(operation["policy"])
        require(policy is not None, "POLICY_UNKNOWN")
        require(policy.district in (rules.CITY, operation["district"]), "DISTRICT_FOREIGN")
        require(policy.state != "DRAFT", "POLICY_VERSION_NOT_APPROVED")
        require(rules.fits_cadence(policy.cadence, policy.slot, period), "PERIOD_INVALID")
        require(policy.state == "PUBLISHED", "POLICY_PUBLICATION_OVERDUE")
        require(caller.in_field(policy.field), "POLICY_UNKNOWN")

        def work():
            batch = Batch(len(self.batches), operation["district"], operation["department"], policy, period,
                          operation["count"], operation["fen"], caller.name, pay_on)
            self.batches.append(batch)
            return {"batch": batch.key, **batch.view()}

        return self.once(caller, operation, work)

    def do_upload(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        number, rows = operation["chunk"], operation["rows"]
        require(number > 0, "CHUNK_INVALID")
        if number in batch.chunks:
            require(batch.chunks[number][0] == rows, "REQUEST_ID_REUSED")
            return batch.chunks[number][1]
        require(batch.state == COLLECTING, "BATCH_STATE")
        numbers = [row["row"] for row in rows]
        require(bool(rows) and numbers[0] >= 1 and numbers == list(range(numbers[0], numbers[0] + len(rows))), "CHUNK_INVALID")
        # Row numbers that another chunk brought before are taken for good, whatever became of them.
        taken = {row["row"] for other, _ in batch.chunks.values() for row in other}
        faults, accepted = [], []
        judged = [(row, *self._judge(batch, row)) for row in rows]
        for row, fault, _ in judged:
            if fault:
                faults.append((row["row"], fault, ""))
        for row, fault, item in judged:
            if fault:
                continue
            fault, detail = ("ROW_NUMBER_REPEATED", "") if row["row"] in taken else self._claim(batch, item)
            if fault:
                faults.append((row["row"], fault, detail))
            else:
                accepted.append(item)
        for item in accepted:
            batch.items[item.row] = item
        batch.uploaded += len(rows)
        batch.uploaded_fen += sum(row["amount_fen"] for row in rows)
        batch.refused += [(row, reason) for row, reason, _ in faults]
        answer = {"accepted": len(accepted), "accepted_fen": sum(item.fen for item in accepted), "faults": sorted(faults)}
        batch.chunks[number] = (rows, answer)
        return answer

    def _judge(self, batch: Batch, row: dict) -> tuple:
        """(reason, item): what a row becomes, or why it cannot."""
        policy = batch.policy
        if row["row"] > batch.count:
            return "ROW_NUMBER_BEYOND_DECLARED", None
        if not 0 < row["amount_fen"] <= rules.MOST_ROW_FEN:
            return "AMOUNT_INVALID", None
        fault = rules.id_fault(row["id_no"], self.today)
        if not fault and row.get("payee_id_no"):
            fault = rules.id_fault(row["payee_id_no"], self.today)
        if fault:
            return fault, None
        person = self.by_id.get(row["id_no"])
        if person is None:
            return "PERSON_UNKNOWN", None
        if person.name != row["name"]:
            return "NAME_MISMATCH", None
        fault = rules.ineligible(policy, person.born, person.died, person.district, batch.district, batch.period, self.today)
        if fault:
            return fault, None
        fault, payee = self._payee(policy, person, row)
        if fault:
            return fault, None
        item = Item(row["row"], person.key, payee, row["amount_fen"], [], [])
        thing = row.get("object_id", "")
        fault = self._claims(policy.policy_id, policy.slot, policy.key, batch.period, person, thing, item.own)
        if fault:
            return fault, None
        age = rules.age_at(person.born, batch.period.first_day() or self.today)
        fault, fen = rules.standard(policy, row, age, batch.period)
        if fault or fen != row["amount_fen"]:
            return fault or "AMOUNT_NOT_STANDARD", None
        for other in policy.excludes:
            against = self.policies[other]
            keys = []
            fault = self._claims("-".join(sorted((policy.policy_id, other))),
                                 rules.coarser_slot(policy.slot, against.slot),
                                 rules.coarser_key(policy.key, against.key), batch.period, person, thing, keys)
            if fault:
                return fault, None
            item.edges += [(key, other) for key in keys]
        return "", item

    def _payee(self, policy, person: Person, row: dict) -> tuple:
        other = None
        if row.get("payee_id_no") and row["payee_id_no"] != row["id_no"]:
            other = self.by_id.get(row["payee_id_no"])
            if other is None:
                return "PAYEE_UNKNOWN", 0
            if row.get("payee_name") and row["payee_name"] != other.name:
                return "NAME_MISMATCH", 0
        if policy.payee == "SELF":
            must, missing = person.key, ""
        elif policy.payee == "HEAD_OF_HOUSEHOLD":
            must = next((one.key for one in self.people if person.household is not None and
                         one.household == person.household and one.role == "HEAD"), None)
            missing = "HOUSEHOLD_MISSING"
        else:
            must, missing = person.guardian, "PAYEE_RELATION_MISSING"
        if must is None:
            return missing, 0
        if other is not None and other.key != must:
            return "PAYEE_RELATION_MISSING", 0
        return "", must

    @staticmethod
    def _claims(scope: str, slot: str, kind: str, period: Period, person: Person, thing: str, claims: list) -> str:
        if kind in ("PERSON", "CHILD"):
            kind, key = "PERSON", person.key
        elif kind == "HOUSEHOLD":
            if person.household is None:
                return "HOUSEHOLD_MISSING"
            key = person.household
        else:
            key = thing.replace(" ", "").upper()
            if not key:
                return "OBJECT_MISSING"
        claims += [(scope, slot_name, kind, key) for slot_name in period.slots(slot)]
        return ""

    def _claim(self, batch: Batch, item: Item) -> tuple:
        """Takes all that an item must own, or nothing: (reason, detail)."""
        for key in item.own:
            holder = self.claims.get(key)
            if holder is not None:
                if holder[0] == batch.key:
                    return "DUPLICATE_IN_BATCH", f"row={holder[1]}"
                return "ALREADY_CLAIMED", ("batch", holder[0])
        lost = {other for key, other in item.edges
                if key in self.edges and self.edges[key][0] != batch.policy.policy_id}
        if lost:
            return "EXCLUDED_BY_POLICY", OneOf(f"policy={other}" for other in lost)
        for key in item.own:
            self.claims[key] = (batch.key, item.row)
        for key, _ in item.edges:
            self.edges.setdefault(key, [batch.policy.policy_id, 0])[1] += 1
        return "", ""

    def do_seal(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("seal")
            require(batch.uploaded > 0 and bool(batch.items), "BATCH_EMPTY")
            require(batch.uploaded == batch.count, "COUNT_DIFFERS")
            require(batch.uploaded_fen == batch.fen, "TOTAL_DIFFERS")
            self._find_departures(batch)
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    def _find_departures(self, batch: Batch) -> None:
        before = batch.period.previous()
        alike = [one for one in self.batches if one.district == batch.district and one.policy is batch.policy]
        last = [one for one in alike if before is not None and one.period == before and
                one.state not in (COLLECTING, CANCELLED)]
        if not last:
            return
        here = {item.person for one in alike if one.period == batch.period and one.state != CANCELLED
                for item in one.items.values()}
        for item in last[-1].items.values():
            if item.person not in here:
                batch.departures.setdefault(item.person, [0, ""])[0] += item.fen

    def do_explain(self, caller, operation):
        self.check_reason(operation["reason"])

        def work():
            batch = self.find(caller, operation["batch"])
            batch.next("publish")
            if operation["people"]:
                require(all(person in batch.departures for person in operation["people"]), "PERSON_UNKNOWN")
                told = operation["people"]
            else:
                told = [person for person, (_, reason) in batch.departures.items() if not reason]
            for person in told:
                batch.departures[person][1] = operation["reason"]
            return {"explained": len(told),
                    "unexplained": sum(1 for _, reason in batch.departures.values() if not reason)}
        return self.once(caller, operation, work)

    def do_cancel(self, caller, operation):
        self.check_reason(operation["reason"])

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("cancel")
            if batch.state == CANCELLED:
                return batch.view()
            for item in batch.items.values():
                for key in item.own:
                    if self.claims.get(key) == (batch.key, item.row):
                        del self.claims[key]
                for key, _ in item.edges:
                    self.edges[key][1] -= 1
                    if not self.edges[key][1]:
                        del self.edges[key]
            if batch.state == FUNDED:
                for item in batch.in_state("waiting", "held"):
                    batch.move("available", "reserved", item.fen)
            for item in batch.in_state("waiting", "held"):
                item.state = "cancelled"
            batch.state, batch.reason = to, operation["reason"]
            return batch.view()
        return self.once(caller, operation, work)

    def do_attach(self, caller, operation):
        require(operation["kind"] in ("notice_photo", "signed_roster", "decision", "other") and
                len(operation["sha256"]) == 64 and 1 <= operation["bytes"] <= 1 << 30, "ATTACHMENT_INVALID")

        def work():
            batch = self.find(caller, operation["batch"])
            require(batch.state not in (CLOSED, CANCELLED), "BATCH_STATE")
            batch.evidence.setdefault(operation["sha256"], operation["kind"])
            return batch.view()
        return self.once(caller, operation, work)

    # --- The notice and the review ------------------------------------------------------------------------------------

    def do_publish(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("publish")
            require(all(reason for _, reason in batch.departures.values()), "DEPARTURES_UNEXPLAINED")
            batch.notice = (self.today, self.today + datetime.timedelta(days=batch.policy.notice_days - 1))
            batch.state = to
            return self.notice_view(batch)
        return self.once(caller, operation, work)

    def notice_view(self, batch: Batch) -> dict:
        villages = {self.people[item.person].village for item in batch.items.values()}
        return {"from": batch.notice[0].isoformat(), "to": batch.notice[1].isoformat(),
                "lines": len(villages) if batch.policy.aggregate else len(batch.items), "aggregate": batch.policy.aggregate}

    def do_object(self, caller, operation):
        self.check_reason(operation["text"], 2_000)

        def work():
            batch = self.find(caller, operation["batch"])
            require(batch.notice is not None, "BATCH_STATE")
            if batch.state != NOTICED:
                raise Refused("BATCH_STATE" if batch.state in (CANCELLED, RETURNED) else "NOTICE_ENDED")
            require(self.today <= batch.notice[1], "NOTICE_ENDED")
            item = batch.items.get(operation["row"]) if operation.get("of", batch.key) == batch.key else None
            require(item is not None, "ITEM_UNKNOWN")
            require(item.state != "held", "OBJECTION_OPEN")
            require(item.state != "stopped", "OBJECTION_DECIDED")
            batch.objections.append([item.row, "OPEN", caller.name])
            item.state, item.reason = "held", "OBJECTION_OPEN"
            return {"objection": len(batch.objections), "state": "OPEN"}
        return self.once(caller, operation, work)

    def do_decide(self, caller, operation):
        self.check_reason(operation["reason"])
        require(operation["decision"] in ("UPHELD", "REJECTED", "WITHDRAWN"), "FIELD_INVALID")

        def work():
            batch = self.find(caller, operation["batch"])
            require(1 <= operation["objection"] <= len(batch.objections), "OBJECTION_UNKNOWN")
            objection = batch.objections[operation["objection"] - 1]
            require(objection[1] == "OPEN", "OBJECTION_DECIDED")
            require(batch.state not in (CANCELLED, RETURNED, CLOSED), "BATCH_STATE")
            require(operation["decision"] == "WITHDRAWN" or objection[2] != caller.name, "SAME_PERSON")
            objection[1] = operation["decision"]
            item = batch.items[objection[0]]
            if operation["decision"] == "UPHELD":
                item.state, item.reason = "stopped", "OBJECTION_UPHELD"
                if batch.state in (FUNDED, PAYING, SETTLED):
                    batch.move("available", "reserved", item.fen)
            else:
                item.state, item.reason = "waiting", ""
                if batch.state in (PAYING, SETTLED):
                    batch.state = PAYING
                    self._send(batch, [item])
            return {"objection": operation["objection"], "state": operation["decision"]}
        return self.once(caller, operation, work)

    def do_close_notice(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("close_notice")
            require(self.today > batch.notice[1], "NOTICE_RUNNING")
            require(batch.policy.aggregate or "notice_photo" in batch.evidence.values(), "NOTICE_EVIDENCE_MISSING")
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    def do_review(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            approve = operation["approve"]
            to = batch.next("approve" if approve else "return")
            roles = [rules.ROLE_OF_STEP[step] for step in batch.policy.steps]
            if batch.state == APPROVED:
                require(operation["step"] == "", "STEP_ORDER")
                require(any(role in caller.roles for role in roles), "PERMISSION_DENIED")
            else:
                taken = sum(1 for _, _, approved, _ in batch.reviews if approved)
                require(operation["step"] == batch.policy.steps[taken], "STEP_ORDER")
                require(roles[taken] in caller.roles, "PERMISSION_DENIED")
            require(caller.name != batch.created_by, "SAME_PERSON")
            require(all(person != caller.name for _, person, _, _ in batch.reviews), "SAME_PERSON")
            require(approve or operation["comment"] != "", "REASON_MISSING")
            require(len(operation["comment"]) <= rules.MOST_REASON, "FIELD_INVALID")
            batch.reviews.append((operation["step"], caller.name, approve, operation["comment"]))
            if not approve:
                batch.state, batch.reason = to, operation["comment"]
            elif len(batch.reviews) == len(batch.policy.steps):
                batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    # --- Money --------------------------------------------------------------------------------------------------------

    def do_create_line(self, caller, operation):
        require(caller.in_district(operation["district"]), "PERMISSION_DENIED")
        require(operation["source"] in SOURCES and 2000 <= operation["year"] <= 2199, "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer
        require(operation["policy"] in self.policies, "POLICY_UNKNOWN")

        def work():
            key = (operation["district"], operation["policy"], operation["year"], operation["source"])
            require(key not in self.lines, "ALREADY_EXISTS")
            self.lines[key] = Line(*key)
            return {"line": key, **self.lines[key].view()}
        return self.once(caller, operation, work)

    def do_set_target(self, caller, operation):
        policy = self.policies.get(operation["policy"])
        require(policy is not None and caller.in_field(policy.field) and caller.in_district(operation["district"]),
                "POLICY_UNKNOWN")
        key = (operation["district"], operation["policy"], operation["year"])
        require(not self.targets.get(key, ["", False])[1], "STATE_CONFLICT")
        self.targets[key] = [caller.name, False]
        return {}

    def do_approve_target(self, caller, operation):
        key = (operation["district"], operation["policy"], operation["year"])
        require("city_finance" in caller.roles or caller.in_district(operation["district"]), "NOT_FOUND")
        require(key in self.targets, "NOT_FOUND")
        require(not self.targets[key][1], "STATE_CONFLICT")
        require(self.targets[key][0] != caller.name, "SAME_PERSON")
        self.targets[key][1] = True
        return {}

    def do_appropriate(self, caller, operation):
        require(caller.in_district(operation["district"]), "BUDGET_LINE_UNKNOWN")
        require(operation["fen"] > 0, "AMOUNT_INVALID")
        require(operation["basis"] != "", "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer
        line = self.lines.get(operation["line"])
        require(line is not None and line.district == operation["district"], "BUDGET_LINE_UNKNOWN")
        require(self.targets.get((line.district, line.policy, line.year), ["", False])[1], "PERFORMANCE_TARGET_MISSING")

        def work():
            line.move("available", "appropriation", operation["fen"])
            return line.view()
        return self.once(caller, operation, work)

    def do_fund(self, caller, operation):
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("fund")
            items = [item for item in batch.items.values() if item.state != "stopped"]
            parts = [rules.split(item.fen, batch.policy.funding) for item in items]
            needed = [sum(part[source] for part in parts) for source in range(len(batch.policy.funding))]
            lines = []
            for source, _ in batch.policy.funding:
                line = self.lines.get((batch.district, batch.policy.policy_id, self.today.year, source))
                require(line is not None, "BUDGET_LINE_MISSING")
                lines.append(line)
            require(all(line.of("available") >= fen for line, fen in zip(lines, needed)), "FUNDS_INSUFFICIENT")
            batch.lines, batch.year, batch.state = lines, self.today.year, to
            for line, fen in zip(lines, needed):
                line.move("reserved", "available", fen)
            return batch.view()
        return self.once(caller, operation, work)

    def do_release(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("release")
            require(caller.name != batch.created_by, "SAME_PERSON")
            require(all(person != caller.name for _, person, _, _ in batch.reviews), "SAME_PERSON")
            require(batch.pay_on is None or self.today >= batch.pay_on, "PAY_DATE_EARLY")
            batch.state = to
            answer = batch.view()
            self._send(batch, batch.in_state("waiting"))
            return answer
        return self.once(caller, operation, work)

    # --- Routing ------------------------------------------------------------------------------------------------------

    def _account(self, batch: Batch, item: Item) -> tuple:
        """(reason, bank, whether it is the card): where an item's money goes, or why nowhere."""
        payee, person = self.people[item.payee], self.people[item.person]
        if person.died is not None:
            first = batch.period.first_day()
            paid_despite = batch.policy.grace_months > 0 and first is not None and \
                month_number(first) <= month_number(person.died) + batch.policy.grace_months
            if not paid_despite:
                return "BENEFICIARY_DECEASED", "", False
        if payee is not person and payee.died is not None:
            return "PAYEE_DECEASED", "", False
        if payee.card_state == "ACTIVE":
            return "", payee.bank, True
        if payee.older_bank and batch.district not in self.card_districts:
            return "", payee.older_bank, False
        if payee.card_state:
            return f"CARD_{payee.card_state}", "", False
        return ("CARD_REQUIRED" if payee.older_bank else "NO_ACCOUNT"), "", False

    def _send(self, batch: Batch, items: list) -> None:
        """Routes items and makes their attempts; what has no way leaves with its reason."""
        here = [one for one in self.agreements.values() if one.district == batch.district]
        usable = [one for one in here if not one.suspended]
        for item in items:
            reason, bank, social = self._account(batch, item)
            chosen = None
            if not reason and not usable:
                reason = "AGREEMENT_SUSPENDED" if here else "NO_AGREEMENT"
            elif not reason:
                chosen = next((one for one in usable if one.bank == bank), None) or \
                    next((one for one in usable if one.others), None)
                reason = "" if chosen else "BANK_NOT_COVERED"
            item.reason = reason
            if reason in ("BENEFICIARY_DECEASED", "PAYEE_DECEASED"):
                item.state = "stopped"
                batch.move("available", "reserved", item.fen)
            elif reason:
                item.state = "unroutable"
            else:
                item.state = "in_transit"
                number = item.attempts[-1].number + 1 if item.attempts else 1
                item.attempts.append(Attempt(number, chosen.number, self.today, social))
                batch.move("in_transit", "reserved", item.fen)
        batch.settle()

    def open_attempts(self):
        """(batch, item, attempt) of everything whose last word is not spoken."""
        for batch in self.batches:
            for item in batch.items.values():
                if item.attempts and item.attempts[-1].state in ("in_transit", "unknown", "paid"):
                    yield batch, item, item.attempts[-1]

    def learn(self, bank) -> list:
        """Takes what the bank did; gives the references that it has not got yet."""
        missing = []
        for batch, item, attempt in list(self.open_attempts()):
            if not batch.first_item:
                missing.append(f"batch {batch.key}")
                continue
            reference = (batch.first_item + item.row - 1) * 100 + attempt.number
            state, reason = self._outcome(bank.of(reference), bank, attempt)
            if state is None:
                missing.append(reference)
            elif state != attempt.state and not (attempt.state == "paid" and state != "returned"):
                self._take(batch, item, attempt, state, reason)
        for batch in self.batches:
            batch.settle()
        return missing

    def _outcome(self, booked, bank, attempt: Attempt) -> tuple:
        late = (self.today - attempt.sent_on).days >= rules.UNKNOWN_AFTER_DAYS
        if booked is None:
            if bank.refused_rows(attempt.agreement, attempt.sent_on):
                return "failed", "BANK_FUNDS"
            return None, ""
        if booked.returned_on is not None:
            return "returned", "BANK_RETURNED"
        if booked.failed:
            return "failed", REASON_OF_CODE[booked.failed]
        # What is credited and not reported stands on the statement of its day, which closes when the day is over.
        if booked.credited_on is not None and (booked.reported or booked.credited_on < self.today):
            return "paid", ""
        return ("unknown", "BANK_UNKNOWN") if late else ("in_transit", "")

    def _take(self, batch: Batch, item: Item, attempt: Attempt, state: str, reason: str) -> None:
        if state in ("paid", "returned") and attempt.state in ("in_transit", "unknown"):
            batch.move("paid", "in_transit", item.fen)
        if state == "returned":
            batch.move("available" if batch.year == self.today.year else "treasury", "paid", item.fen)
            batch.came_back.append(item.fen)
        if state == "failed":
            batch.move("reserved", "in_transit", item.fen)
        attempt.state, attempt.reason, attempt.told = state, reason, True
        item.state, item.reason = state, reason

    # --- Repair -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _repairable(item: Item) -> bool:
        return item.state == "unroutable" or (item.state in ("failed", "returned") and not item.abandoned)

    def _candidates(self, batch: Batch, rows: list) -> list:
        """The named items; every one of them must be in a state that can be repaired."""
        found = [batch.items[row] for row in sorted(rows) if row in batch.items]
        for item in found:
            require(self._repairable(item), "ITEM_NOT_REPAIRABLE")
            require(not item.attempts or item.attempts[-1].number < MOST_ATTEMPTS, "ATTEMPTS_EXHAUSTED")
        require(len(found) == len(rows), "ITEM_UNKNOWN")
        return found

    def _statement_is_in(self, item: Item) -> bool:
        """Whether the statement of the day on which it was sent was compared: a failure counts only behind it."""
        return item.state != "failed" or item.attempts[-1].sent_on < self.today

    def do_reissue(self, caller, operation):
        self.check_reason(operation["reason"])
        rows = operation["rows"]
        require(len(set(rows)) == len(rows), "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("reissue")
            if rows:
                items = self._candidates(batch, rows)
            else:
                every = [item for item in batch.items.values() if self._repairable(item)]
                items = [item for item in every if self._statement_is_in(item)] or every
            require(all(self._statement_is_in(item) for item in items), "STATEMENT_OUTSTANDING")
            if not items:
                return {"reissued": 0}
            back = [item for item in items if item.state == "returned"]
            require(not back or batch.year == self.today.year, "FUNDS_INSUFFICIENT")
            for source, line in enumerate(batch.lines):
                needed = sum(rules.split(item.fen, batch.policy.funding)[source] for item in back)
                require(line.of("available") >= needed, "FUNDS_INSUFFICIENT")
            for item in back:
                batch.move("reserved", "available", item.fen)
            batch.state = to
            for item in items:
                item.state, item.reason = "waiting", ""
            self._send(batch, items)
            return {"reissued": len(items)}
        return self.once(caller, operation, work)

    def do_abandon(self, caller, operation):
        self.check_reason(operation["reason"])
        rows = operation["rows"]
        require(bool(rows) and len(set(rows)) == len(rows), "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            items = self._candidates(batch, rows)
            require(all(self._statement_is_in(item) for item in items), "STATEMENT_OUTSTANDING")
            batch.next("reissue")
            for item in items:
                if item.state != "returned":
                    batch.move("available", "reserved", item.fen)
                if item.state == "unroutable":
                    item.state, item.reason = "stopped", "ABANDONED"
                else:
                    item.abandoned = True
            return {"abandoned": len(items)}
        return self.once(caller, operation, work)

    def do_close(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("close")
            open_items = [item for item in batch.in_state("held", "unroutable", "failed", "returned") if not item.abandoned]
            require(not open_items and not batch.in_state("waiting", "in_transit", "unknown"), "ITEMS_OPEN")
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    # --- The world around ---------------------------------------------------------------------------------------------

    def do_change_person(self, caller, operation):
        person = self.people[operation["person"]]
        kind, day = operation["kind"], datetime.date.fromisoformat(operation["on"])
        if day < person.born:
            return {"refused": "CHANGE_INVALID"}
        if kind == "DEATH":
            if person.died is None or day < person.died:
                person.died = day
        elif kind == "CARD_REPLACED":
            person.card_state, person.bank = "ACTIVE", operation["bank"]
        else:
            if not person.card_state:
                return {"refused": "CARD_UNKNOWN"}
            if person.card_state == "CANCELLED" and kind != "CARD_CANCELLED":
                return {"refused": "CHANGE_INVALID"}
            person.card_state = {"CARD_LOST": "LOST", "CARD_CANCELLED": "CANCELLED", "CARD_ACTIVATED": "ACTIVE"}[kind]
        return {"refused": ""}

    def do_suspend(self, caller, operation):
        self.agreements[operation["agreement"]].suspended = operation["suspended"]
        return {}

    def do_advance(self, caller, operation):
        self.today += datetime.timedelta(days=operation["days"])
        return {"date": self.today.isoformat()}

    # --- Queries ------------------------------------------------------------------------------------------------------

    def do_get(self, caller, operation):
        return self.find(caller, operation["batch"]).view()

    def do_list_batches(self, caller, operation):
        policy = self.policies[operation["policy"]]
        return [batch.key for batch in reversed(self.batches)
                if batch.policy is policy and caller.in_district(batch.district) and caller.in_field(policy.field) and
                operation["state"] in (0, batch.state)]

    def do_list_items(self, caller, operation):
        require(operation["state"] == "" or operation["state"] in ITEM_STATES, "FIELD_INVALID")
        batch = self.find(caller, operation["batch"])
        views = [batch.item_view(batch.items[row]) for row in sorted(batch.items)]
        return [view for view in views if operation["state"] in ("", view["state"])]

    def do_list_rejections(self, caller, operation):
        return sorted(self.find(caller, operation["batch"]).refused)

    def do_list_departures(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        return sorted((person, fen, reason) for person, (fen, reason) in batch.departures.items()
                      if not (operation["unexplained"] and reason))

    def do_list_notice(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        require(batch.notice is not None, "BATCH_STATE")
        if not batch.policy.aggregate:
            return {**self.notice_view(batch), "rows": [(row, batch.items[row].fen) for row in sorted(batch.items)]}
        cells = {}
        for item in batch.items.values():
            cells.setdefault(self.people[item.person].village, []).append(item.fen)
        # A cell below five people shows neither their number nor their money.
        return {**self.notice_view(batch), "rows": [(len(fens), sum(fens)) if len(fens) >= 5 else (0, 0)
                                                    for _, fens in sorted(cells.items())]}

    def do_list_lines(self, caller, operation):
        return [line.view() for line in self._lines_of(operation["policy"])
                if caller.in_district(line.district) and operation["district"] in (0, line.district)]

    def _lines_of(self, policy: str) -> list:
        return sorted((line for line in self.lines.values() if line.policy == policy),
                      key=lambda line: (line.district, line.number))

    def do_list_ledger(self, caller, operation):
        require(caller.in_district(operation["district"]), "BUDGET_LINE_UNKNOWN")
        line = self.lines.get(operation["line"])
        if line is None or line.district != operation["district"]:
            return {}
        return dict(line.moves)

    def do_proof(self, caller, operation):
        require(operation["step"] in ("submit", "outcome"), "FIELD_INVALID")
        try:
            batch = self.find(caller, operation["batch"])
        except Refused:
            raise Refused("ITEM_UNKNOWN") from None
        item = batch.items.get(operation["row"])
        require(item is not None, "ITEM_UNKNOWN")
        if operation["step"] == "submit":
            require(bool(item.attempts), "NOT_FOUND")
        else:
            require(any(attempt.told for attempt in item.attempts), "NOT_FOUND")
        return {}
