"""The arithmetic of the rules, written from the documents and not from the services: ID numbers, periods and slots,
amounts, who is eligible, shares, and who may call what. Plain functions; nothing here keeps a state.
"""
import dataclasses
import datetime

CITY = 120000
PROVINCES = set(range(11, 16)) | set(range(21, 24)) | set(range(31, 38)) | set(range(41, 47)) | set(range(50, 55)) | \
    set(range(61, 66)) | {71, 81, 82, 83}
MOST_ROW_FEN = 1_000_000_000
MOST_BATCH_FEN = 10_000_000_000_000
MOST_BATCH_ROWS = 5_000_000
MOST_REASON = 500
UNKNOWN_AFTER_DAYS = 2


# --- ID numbers (GB 11643) and accounts -------------------------------------------------------------------------------

def check_character(body: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits."""
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def id_fault(text: str, today: datetime.date) -> str:
    """Why an 18-character citizen number is wrong; empty where it is right. Asked in the documented order."""
    if any(not digit.isdigit() for digit in text[:-1]) or not (text[-1:].isdigit() or text[-1:] == "X"):
        return "ID_NUMBER_CHARACTER_WRONG"
    if len(text) != 18:
        return "ID_NUMBER_LENGTH_WRONG"
    if int(text[:2]) not in PROVINCES:
        return "ID_NUMBER_AREA_UNKNOWN"
    try:
        born = datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return "ID_NUMBER_BIRTH_DATE_WRONG"
    if born > today or born.year < 1880:
        return "ID_NUMBER_BIRTH_DATE_WRONG"
    return "" if check_character(text[:17]) == text[17] else "ID_NUMBER_CHECK_DIGIT_WRONG"


def with_luhn(body: str) -> str:
    """An account number with its check digit."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def age_at(born: datetime.date, day: datetime.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


# --- Periods and slots ------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Period:
    kind: str  # YEAR, QUARTER, MONTH, LIFE
    year: int = 0
    number: int = 0

    @staticmethod
    def parse(text: str) -> "Period | None":
        if text == "LIFE":
            return Period("LIFE")
        head, _, tail = text.partition("-")
        if len(head) != 4 or not head.isdigit() or not 1949 <= int(head) <= 2199 or (not tail and "-" in text):
            return None
        if not tail:
            return Period("YEAR", int(head))
        if tail[0] == "Q" and len(tail) == 2 and tail[1] in "1234":
            return Period("QUARTER", int(head), int(tail[1]))
        if len(tail) == 2 and tail.isdigit() and 1 <= int(tail) <= 12:
            return Period("MONTH", int(head), int(tail))
        return None

    def text(self) -> str:
        return {"LIFE": "LIFE", "YEAR": f"{self.year:04d}", "QUARTER": f"{self.year:04d}-Q{self.number}",
                "MONTH": f"{self.year:04d}-{self.number:02d}"}[self.kind]

    def months(self) -> list:
        first, count = {"LIFE": (1, 0), "YEAR": (1, 12), "QUARTER": (self.number * 3 - 2, 3),
                        "MONTH": (self.number, 1)}[self.kind]
        return [first + i for i in range(count)]

    def first_day(self) -> "datetime.date | None":
        return None if self.kind == "LIFE" else datetime.date(self.year, self.months()[0], 1)

    def last_day(self) -> "datetime.date | None":
        if self.kind == "LIFE":
            return None
        last = self.months()[-1]
        following = datetime.date(self.year + last // 12, last % 12 + 1, 1)
        return following - datetime.timedelta(days=1)

    def previous(self) -> "Period | None":
        if self.kind == "LIFE":
            return None
        if self.kind == "YEAR":
            return Period("YEAR", self.year - 1)
        most = 4 if self.kind == "QUARTER" else 12
        return Period(self.kind, self.year, self.number - 1) if self.number > 1 else Period(self.kind, self.year - 1, most)

    def slots(self, unit: str) -> list:
        if unit == "LIFE" or self.kind == "LIFE":
            return ["LIFE"]
        if unit == "YEAR":
            return [f"{self.year:04d}"]
        return [f"{self.year:04d}-{month:02d}" for month in self.months()]


def fits_cadence(cadence: str, slot: str, period: Period) -> bool:
    allowed = {"monthly": ("MONTH", "QUARTER"), "quarterly": ("QUARTER",), "yearly": ("YEAR",),
               "once": (slot,)}[cadence]
    return period.kind in allowed


# --- Policies ---------------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Policy:
    """One policy with its one version. `state` of the version: PUBLISHED, APPROVED (and overdue) or DRAFT."""
    policy_id: str
    field: str
    department: str
    district: int
    slot: str
    key: str
    calculation: str
    cadence: str
    payee: str
    residence: str
    rate: int = 0
    tiers: tuple = ()        # ((name or age, rate), …)
    cap: int = 0
    percent_bp: int = 0
    least: int = 0
    cap_quantity: int = 0
    min_age: "int | None" = None
    max_age: "int | None" = None
    grace_months: int = 0
    funding: tuple = (("city", 10_000),)
    notice_days: int = 3
    aggregate: bool = False
    steps: tuple = ("town_review", "department_review", "finance_review")
    state: str = "PUBLISHED"
    excludes: tuple = ()     # ids of policies


ROLE_OF_STEP = {"town_review": "town_reviewer", "department_review": "department_reviewer",
                "finance_review": "district_finance_reviewer"}


def coarser_key(a: str, b: str) -> str:
    human = {"PERSON", "CHILD", "HOUSEHOLD"}
    if a == b:
        return a
    assert {a, b} <= human, "such an edge cannot be made"
    return "HOUSEHOLD" if "HOUSEHOLD" in (a, b) else "PERSON"


def coarser_slot(a: str, b: str) -> str:
    order = ("MONTH", "YEAR", "LIFE")
    return order[max(order.index(a), order.index(b))]


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def standard(policy: Policy, row: dict, age: int, period: Period) -> tuple:
    """(reason, fen): what the standard gives for a row, or why it gives nothing."""
    bad = ("CALCULATION_INPUT", 0)
    quantity = row.get("quantity", 0)
    kind = policy.calculation
    if kind == "FIXED":
        if quantity < 0:
            return bad
        fen = policy.rate * max(quantity, 1)
    elif kind == "TOP_UP":
        if row.get("members", 0) <= 0 or row.get("income_fen", 0) < 0:
            return bad
        fen = max(0, policy.rate * row["members"] - row.get("income_fen", 0))
    elif kind == "TIERED":
        rates = dict(policy.tiers)
        if row.get("tier", "") not in rates:
            return "STANDARD_MISSING", 0  # there is no such tier
        fen = rates[row["tier"]]
    elif kind == "TIERED_AGE":
        reached = [rate for least, rate in policy.tiers if age >= least]
        if not reached:
            return "STANDARD_MISSING", 0
        fen = reached[-1]
    elif kind == "PER_AREA":
        if quantity <= 0:
            return bad
        fen = half_up(policy.rate * quantity, 100)
    elif kind == "PER_UNIT_CAP":
        if quantity <= 0:
            return bad
        fen = policy.rate * min(quantity, policy.cap_quantity)
    elif kind == "PERCENT_CAP":
        if row.get("bill_fen", 0) <= 0:
            return bad
        fen = half_up(row["bill_fen"] * policy.percent_bp, 10_000)
    elif kind == "PRO_RATA":
        if not 1 <= quantity <= 12:
            return bad
        fen = half_up(policy.rate * quantity, 12)
    elif kind == "PER_MONTH_COUNT":
        if quantity <= 0:
            return bad
        fen = policy.rate * quantity
    elif kind == "ASSESSED":
        fen = row["amount_fen"]
        if fen < policy.least or (policy.cap and fen > policy.cap):
            return ("AMOUNT_NOT_STANDARD", 0)
    else:
        raise AssertionError(f"a calculation that is not modelled: {kind}")
    if policy.cap:
        fen = min(fen, policy.cap)
    if kind in ("FIXED", "TOP_UP", "TIERED", "TIERED_AGE") and policy.cadence == "monthly" and period.kind == "QUARTER":
        fen *= 3
    return ("", fen)


def split(fen: int, funding: tuple) -> list:
    """Each source's part; the remainder goes to the first."""
    parts = [fen * share // 10_000 for _, share in funding]
    parts[0] = fen - sum(parts[1:])
    return parts


def month_number(day: datetime.date) -> int:
    return day.year * 12 + day.month


def ineligible(policy: Policy, born, died, district: int, pays: int, period: Period, collected) -> str:
    """Why a person may not stand in a roster; empty where they may."""
    reference = period.first_day() or collected
    if died is not None:
        if period.kind == "LIFE" and policy.grace_months == 0:
            if died <= collected:
                return "PERSON_DECEASED"
        elif month_number(reference) > month_number(died) + policy.grace_months:
            return "PERSON_DECEASED"
    age = age_at(born, reference)
    if born > (period.last_day() or collected) or (policy.min_age and age < policy.min_age) or \
            (policy.max_age is not None and age > policy.max_age):
        return "AGE_OUT_OF_RANGE"
    if policy.residence == "DISTRICT" and pays != CITY and district != pays:
        return "RESIDENCE_OUTSIDE"
    return ""


# --- Who may call what ------------------------------------------------------------------------------------------------

COLLECTORS = {"department_operator", "town_operator"}
DEPARTMENT = {"department_operator", "department_reviewer"}
HEARERS = DEPARTMENT | {"town_operator", "town_reviewer"}
FINANCE = {"district_finance_operator", "district_finance_reviewer", "city_finance"}
REPAIRERS = DEPARTMENT | {"district_finance_operator", "city_finance"}
ROLES = {
    "create": COLLECTORS, "upload": COLLECTORS, "seal": COLLECTORS, "explain": COLLECTORS,
    "cancel": DEPARTMENT, "attach": HEARERS, "publish": DEPARTMENT, "object": HEARERS, "decide": HEARERS,
    "close_notice": DEPARTMENT, "review": HEARERS | FINANCE,
    "create_line": FINANCE, "appropriate": FINANCE, "fund": FINANCE, "release": {"payment_releaser"},
    "reissue": REPAIRERS, "abandon": REPAIRERS, "close": REPAIRERS,
    "set_target": {"department_operator"}, "approve_target": {"city_finance", "district_finance_reviewer"},
    "change_person": {"card_office"}, "suspend": {"bank_admin", "city_finance"}, "advance": {"clock_admin"},
}


@dataclasses.dataclass(frozen=True)
class Caller:
    name: str
    organisation: str
    roles: frozenset
    fields: frozenset
    districts: frozenset

    def in_district(self, district: int) -> bool:
        return CITY in self.districts or district in self.districts

    def in_field(self, field: str) -> bool:
        return "*" in self.fields or field in self.fields

    def may(self, operation: str) -> bool:
        # What is not in the table is a query, and open to every role.
        return operation not in ROLES or bool(self.roles & ROLES[operation])
