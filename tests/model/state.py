"""What the model knows: people, agreements, batches with their items and attempts, budget lines; and the tables of states."""
import dataclasses
import datetime

import rules
from rules import Period

COLLECTING, SEALED, NOTICED, IN_REVIEW, APPROVED, FUNDED, PAYING, SETTLED, CLOSED, RETURNED, CANCELLED = range(1, 12)
# The table of a batch's states: event -> {from: to}.
NEXT = {
    "seal": {COLLECTING: SEALED}, "publish": {SEALED: NOTICED}, "close_notice": {NOTICED: IN_REVIEW},
    "approve": {IN_REVIEW: APPROVED}, "fund": {APPROVED: FUNDED}, "release": {FUNDED: PAYING},
    "reissue": {PAYING: PAYING, SETTLED: PAYING}, "close": {SETTLED: CLOSED}, "reopen": {CLOSED: SETTLED},
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
            reason = "ABANDONED"  # what was sent and given up stays what it was
        last = item.attempts[-1].number if item.attempts else 0
        if state == "waiting" and last:
            # Its last attempt still speaks while the next one is on its way; never seen at rest.
            state = item.attempts[-1].state
        return {"row": item.row, "fen": item.fen, "state": state, "reason": reason, "attempt": last,
                "person": item.person}
