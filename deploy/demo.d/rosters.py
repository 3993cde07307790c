"""Rosters for the demonstration: who should be paid what, with bad rows of every reason mixed in.

Amounts are computed here from the published list's own figures, by code that the services do not share: where the two
disagree, rows are refused and the report's equalities fail.
"""
import csv
import dataclasses
import datetime
import json
import pathlib

from people import City, Person

TODAY = datetime.date(2026, 3, 2)  # the business date on which the demonstration begins, a Monday
MONTH = "2026-02"
YEAR = "2026"
LAST_YEAR = "2025"
SHORTEST = 12  # rows of a list
MOST_FEN = 1_000_000_000  # of one row

# What a row of any list can be refused for.
ANY_LIST = ("ID_NUMBER_CHECK_DIGIT_WRONG", "ID_NUMBER_LENGTH_WRONG", "ID_NUMBER_CHARACTER_WRONG", "ID_NUMBER_AREA_UNKNOWN",
            "ID_NUMBER_BIRTH_DATE_WRONG", "PERSON_UNKNOWN", "NAME_MISMATCH", "AMOUNT_NOT_STANDARD", "AMOUNT_INVALID",
            "DUPLICATE_IN_BATCH")

# Reasons that are found before anybody asks whether the person lives; all others are found only for the living.
BEFORE_LIFE = ("ID_NUMBER_CHECK_DIGIT_WRONG", "ID_NUMBER_LENGTH_WRONG", "ID_NUMBER_CHARACTER_WRONG",
               "ID_NUMBER_AREA_UNKNOWN", "ID_NUMBER_BIRTH_DATE_WRONG", "AMOUNT_INVALID", "ROW_NUMBER_BEYOND_DECLARED",
               "PERSON_UNKNOWN", "NAME_MISMATCH")

HEBEI, BAODI, BINHAI, WUQING = 120105, 120115, 120116, 120114
DISTRICTS = (HEBEI, BAODI, BINHAI, WUQING)
SHORT = {"CIVIL": "civil", "HRSS": "hrss", "AGRI": "agriculture", "ENERGY": "ecology", "HEALTH": "health",
         "VETERAN": "veterans"}


@dataclasses.dataclass(slots=True)
class Row:
    person: Person
    amount_fen: int
    payee: Person | None = None
    quantity: int = 0
    members: int = 0
    income_fen: int = 0
    bill_fen: int = 0
    tier: str = ""
    object_id: str = ""
    number: int = 0    # where it is not the row's place in the list
    id_no: str = ""    # where it is not the person's own
    name: str = ""
    reason: str = ""   # why it must be refused; empty where it must be taken


# --- What each policy gives, from policies.csv (amounts in fen) -------------------------------------------------------

def dibao(members: int, income_fen: int) -> int:
    """P001: the line of 1045 yuan times members less the household's income, never below zero."""
    return max(0, 104_500 * members - income_fen)


# P020: care for the old by how much they need, in a month.
CARE = {"light": 20_000, "medium": 40_000, "heavy": 60_000}


def old_age_binhai(age: int) -> int:
    """P022: 80-89: 135, 90-94: 500, 95-99: 1000, 100 and more: 3500 yuan a month."""
    return 350_000 if age >= 100 else 100_000 if age >= 95 else 50_000 if age >= 90 else 13_500


def living_aid(age: int) -> int:
    """P024: 60-69: 125, 70-79: 135, 80 and more: 145 yuan a month."""
    return 14_500 if age >= 80 else 13_500 if age >= 70 else 12_500


def by_area(rate_fen: int, hundredths_of_mu: int) -> int:
    """P042, P043: rate times area, half up once."""
    return (rate_fen * hundredths_of_mu + 50) // 100


def heating_bill(bill_fen: int) -> int:
    """P014: 60 percent of the bill, at most 1250 yuan."""
    return min((bill_fen * 60 + 50) // 100, 125_000)


def coal_to_electric(kwh: int) -> int:
    """P051: 0.2 yuan for each kWh, at most 8000."""
    return min(kwh, 8000) * 20


def child_rearing(months: int) -> int:
    """P053: 3600 yuan a year by months."""
    return (360_000 * months + 6) // 12


@dataclasses.dataclass(frozen=True)
class Plan:
    """One batch: a policy in a district, and its share of all rows; a list with the weight 0 is as short as any may be."""
    key: str
    policy: str
    field: str
    district: int
    period: str
    weight: int
    pool: str  # whom it draws from
    after: str = ""  # the batch that must be collected first
    cancelled: bool = False  # collected by mistake, and cancelled at once


PLANS = (
    Plan("p001-105", "P001", "CIVIL", HEBEI, MONTH, 8, "families"),
    Plan("p001-115", "P001", "CIVIL", BAODI, MONTH, 8, "families"),
    Plan("p001-116", "P001", "CIVIL", BINHAI, MONTH, 7, "families"),
    Plan("p001-114", "P001", "CIVIL", WUQING, MONTH, 7, "families"),
    Plan("p002-105", "P002", "CIVIL", HEBEI, MONTH, 3, "edge"),
    Plan("p002-115", "P002", "CIVIL", BAODI, MONTH, 3, "edge"),
    Plan("p003-105", "P003", "CIVIL", HEBEI, MONTH, 1, "destitute", after="p001-105"),
    Plan("p008-105", "P008", "CIVIL", HEBEI, MONTH, 6, "adults"),
    Plan("p008-105-more", "P008", "CIVIL", HEBEI, MONTH, 1, "adults-more", after="p008-105"),
    Plan("p008-116", "P008", "CIVIL", BINHAI, MONTH, 5, "adults"),
    Plan("p008-115-wrong", "P008", "CIVIL", BAODI, MONTH, 0, "adults", cancelled=True),
    Plan("p008-115", "P008", "CIVIL", BAODI, MONTH, 1, "adults", after="p008-115-wrong"),
    Plan("p014-105", "P014", "CIVIL", HEBEI, LAST_YEAR, 3, "families"),
    Plan("p020-114", "P020", "CIVIL", WUQING, MONTH, 2, "elders"),
    Plan("p022-116", "P022", "CIVIL", BINHAI, MONTH, 5, "old"),
    Plan("p024-105", "P024", "HRSS", HEBEI, MONTH, 4, "elders"),
    Plan("p024-115", "P024", "HRSS", BAODI, MONTH, 5, "elders"),
    Plan("p024-116", "P024", "HRSS", BINHAI, MONTH, 5, "elders"),
    Plan("p024-114", "P024", "HRSS", WUQING, MONTH, 5, "elders"),
    Plan("p026-105", "P026", "HRSS", HEBEI, MONTH, 3, "spouses"),
    Plan("p042-115", "P042", "AGRI", BAODI, YEAR, 7, "heads"),
    Plan("p042-114", "P042", "AGRI", WUQING, YEAR, 7, "heads"),
    Plan("p043-115", "P043", "AGRI", BAODI, LAST_YEAR, 5, "heads"),
    Plan("p051-114", "P051", "ENERGY", WUQING, LAST_YEAR, 4, "heads"),
    Plan("p051-115", "P051", "ENERGY", BAODI, LAST_YEAR, 3, "heads"),
    Plan("p053-116", "P053", "HEALTH", BINHAI, YEAR, 3, "infants"),
    Plan("p060-114", "P060", "VETERAN", WUQING, YEAR, 2, "elders"),
    # Short lists of departments whose way to a bank is not what it should be: see AGREEMENTS in `generate`.
    Plan("p042-105", "P042", "AGRI", HEBEI, YEAR, 0, "heads"),
    Plan("p051-105", "P051", "ENERGY", HEBEI, LAST_YEAR, 0, "heads"),
    Plan("p053-105", "P053", "HEALTH", HEBEI, YEAR, 0, "infants"),
    Plan("p060-105", "P060", "VETERAN", HEBEI, YEAR, 0, "elders"),
    Plan("p042-116", "P042", "AGRI", BINHAI, YEAR, 0, "heads"),
    Plan("p060-116", "P060", "VETERAN", BINHAI, YEAR, 0, "elders"),
)


class Rosters:
    """Builds all rosters over one city, growing the city as the lists need people."""

    def __init__(self, city: City, payments: int):
        self.city = city
        self.random = city.random
        total = sum(plan.weight for plan in PLANS)
        # Each list has room for its bad rows; the rest is shared out by weight.
        shared = payments - SHORTEST * len(PLANS)
        self.sizes = {plan.key: SHORTEST + shared * plan.weight // total for plan in PLANS}
        # What rounding left goes to the largest list.
        self.sizes["p001-105"] += payments - sum(self.sizes.values())
        self.rows = {}
        self._pools = {}
        self._plots = 0

    def _pool(self, district: int, pool: str, count: int) -> list:
        """`count` people of one pool; pools that share people start at the same place, so that lists overlap."""
        kind = {"families": "family", "edge": "family", "heads": "family", "adults": "family", "spouses": "family",
                "adults-more": "family", "destitute": "family", "elders": "elder", "old": "old",
                "infants": "infant"}[pool]
        # Families of P001 and of P002 must be others, since the two exclude each other.
        shelf = "edge" if pool == "edge" else kind
        have = self._pools.setdefault((district, shelf), [])

        def people_of(members):
            if pool in ("families", "edge", "heads", "destitute", "old"):
                return members[:1]
            if pool == "spouses":
                return members[1:2]
            if pool == "infants":
                return members[2:3]
            return [member for member in members if member.role != "CHILD"]

        chosen = []
        position = 0
        while len(chosen) < count:
            if position == len(have):
                have.append(self.city.household(district, kind))
            chosen += people_of(have[position])
            position += 1
        return chosen[:count]

    def _good(self, plan: Plan, person: Person) -> Row:
        """A row that must be taken, with its amount."""
        month_day = datetime.date(2026, 2, 1)
        policy = plan.policy
        if policy == "P001":
            members = self.random.randint(1, 4)
            income = self.random.randrange(0, 104_500 * members - 100, 100)
            return Row(person, dibao(members, income), members=members, income_fen=income)
        if policy == "P002":
            return Row(person, 31_400)
        if policy == "P003":
            return Row(person, 187_000)
        if policy == "P008":
            return Row(person, 20_000)
        if policy == "P014":
            bill = self.random.randrange(60_000, 280_000)
            return Row(person, heating_bill(bill), bill_fen=bill)
        if policy == "P020":
            tier = self.random.choice(tuple(CARE))
            return Row(person, CARE[tier], tier=tier)
        if policy == "P022":
            return Row(person, old_age_binhai(person.age_at(month_day)))
        if policy == "P024":
            return Row(person, living_aid(person.age_at(month_day)))
        if policy == "P026":
            return Row(person, 173_000)
        if policy in ("P042", "P043"):
            self._plots += 1
            area = self.random.randint(20, 3_000)
            return Row(person, by_area(562 if policy == "P042" else 15_600, area), quantity=area,
                       object_id=f"{plan.district}{policy[1:]}{self._plots:09d}")
        if policy == "P051":
            kwh = self.random.randint(400, 11_000)
            return Row(person, coal_to_electric(kwh), quantity=kwh)
        if policy == "P053":
            months = 12
            return Row(person, child_rearing(months), payee=person.guardian, quantity=months)
        if policy == "P060":
            years = self.random.randint(2, 12)
            return Row(person, 68_800 * years, quantity=years)
        raise ValueError(policy)

    # --- Bad rows: each takes a good one and breaks it in one way -------------------------------------------------

    def _break(self, plan: Plan, row: Row, how: str, earlier: list) -> Row:
        number = row.person.id_no
        row.reason = how
        if how == "ID_NUMBER_CHECK_DIGIT_WRONG":
            row.id_no = number[:-1] + ("0" if number[-1] != "0" else "1")
        elif how == "ID_NUMBER_LENGTH_WRONG":
            row.id_no = number[:-1]
        elif how == "ID_NUMBER_CHARACTER_WRONG":
            row.id_no = number[:9] + "O" + number[10:]
        elif how == "ID_NUMBER_AREA_UNKNOWN":
            row.id_no = "47" + number[2:]
        elif how == "ID_NUMBER_BIRTH_DATE_WRONG":
            row.id_no = number[:10] + "13" + number[12:]
        elif how == "PERSON_UNKNOWN":
            stranger = self.city.stranger(plan.district)
            row.id_no, row.name = stranger.id_no, stranger.name
        elif how == "NAME_MISMATCH":
            row.name = ("王" if row.person.name[0] != "王" else "李") + row.person.name[1:] + "某"
        elif how == "PERSON_DECEASED":
            row.person.died_on = "2025-11-20" if plan.period == MONTH or plan.period == YEAR else "2024-06-01"
        elif how == "AMOUNT_NOT_STANDARD":
            row.amount_fen += 100
        elif how == "AMOUNT_INVALID":
            row.amount_fen = self.random.choice((0, -500))
        elif how == "AMOUNT_TOO_LARGE":
            row.amount_fen = MOST_FEN + 1
        elif how == "STANDARD_MISSING":
            row.tier = "severe"
        elif how == "HOUSEHOLD_MISSING":
            loner = self.city.household(plan.district, "old")[0]
            loner.household, loner.role = 0, ""
            return dataclasses.replace(self._good(plan, loner), reason=how)
        elif how == "CALCULATION_INPUT":
            row.quantity = -1
        elif how == "OBJECT_MISSING":
            row.object_id = ""
        elif how == "DUPLICATE_IN_BATCH":
            first = self.random.choice(earlier)
            return dataclasses.replace(first, reason=how)
        elif how == "PAYEE_UNKNOWN":
            row.payee = self.city.stranger(plan.district)
        elif how == "PAYEE_RELATION_MISSING":
            row.payee = self._pool(plan.district, "families", 1)[0]
        else:
            raise ValueError(how)
        return row

    def _ways_to_break(self, plan: Plan) -> list:
        """What only this kind of list can be refused for comes first, so that short lists have it too."""
        ways = []
        if plan.pool in ("elders", "old", "edge"):
            ways.append("PERSON_DECEASED")
        if plan.policy in ("P042", "P043"):
            ways += ["OBJECT_MISSING", "CALCULATION_INPUT"]
        if plan.policy == "P053":
            ways += ["PAYEE_UNKNOWN", "PAYEE_RELATION_MISSING"]
        if plan.policy == "P020":
            ways.append("STANDARD_MISSING")
        if plan.policy == "P026":
            ways.append("AMOUNT_TOO_LARGE")
        if plan.policy in ("P001", "P002", "P014", "P051"):
            ways.append("HOUSEHOLD_MISSING")
        # The others in turn, each list beginning with another, so that many short lists have them all.
        first = PLANS.index(plan) % len(ANY_LIST)
        return ways + [*ANY_LIST[first:], *ANY_LIST[:first]]

    def build(self) -> None:
        for plan in PLANS:
            size = self.sizes[plan.key]
            rows = []
            if plan.policy == "P003":
                rows = self._destitute(plan, size)
            elif plan.pool == "adults-more":
                rows = self._more(plan, size)
            else:
                bad = max(3, size // 50)
                people = self._pool(plan.district, plan.pool, size)
                ways = self._ways_to_break(plan)
                # Who is broken, spread over the list; the first rows stay good, so that there is something to repeat.
                broken = {4 + (position * (size - 5)) // bad: ways[position % len(ways)] for position in range(bad)}
                for index, person in enumerate(people):
                    row = self._good(plan, person)
                    if index in broken:
                        taken = [earlier for earlier in rows if not earlier.reason][:200]
                        row = self._break(plan, row, broken[index], taken)
                    rows.append(row)
                self._outsiders(plan, rows)
                self._misnumbered(plan, rows)
            self.rows[plan.key] = rows
        self._settle_deaths()

    def _outsiders(self, plan: Plan, rows: list) -> None:
        """The last row but one of a list by age is too young; of a list by residence, lives in another district."""
        if plan.policy in ("P022", "P024", "P060"):
            young = self._pool(plan.district, "families", 3)[2]
            rows[-2] = dataclasses.replace(self._good(plan, young), reason="AGE_OUT_OF_RANGE")
        if plan.policy == "P001":
            other = BAODI if plan.district != BAODI else WUQING
            away = self._pool(other, "heads", 3)[2]
            rows[-2] = dataclasses.replace(self._good(plan, away), reason="RESIDENCE_OUTSIDE")

    def _misnumbered(self, plan: Plan, rows: list) -> None:
        """The last row of one list carries a number that no row can have, of another the number of its first row."""
        if plan.key == "p024-115":
            rows[-1].number, rows[-1].reason = len(rows) + 1, "ROW_NUMBER_BEYOND_DECLARED"
        if plan.key == "p024-116":
            rows[-1].number, rows[-1].reason = 1, "ROW_NUMBER_REPEATED"

    def _destitute(self, plan: Plan, size: int) -> list:
        """Half of them draw dibao already, which excludes destitute support."""
        drawing = [row.person for row in self.rows["p001-105"] if not row.reason][:size // 2]
        free = [self.city.household(plan.district, "old")[0] for _ in range(size - len(drawing))]
        rows = [dataclasses.replace(self._good(plan, person), reason="EXCLUDED_BY_POLICY") for person in drawing]
        rows += [self._good(plan, person) for person in free]
        self.random.shuffle(rows)
        return rows

    def _more(self, plan: Plan, size: int) -> list:
        """A later list for the same month: a third stands in the first one."""
        before = [row.person for row in self.rows["p008-105"] if not row.reason][:size // 3]
        count = len(self.rows["p008-105"]) + size
        free = self._pool(plan.district, "adults", count)[-(size - len(before)):]
        rows = [dataclasses.replace(self._good(plan, person), reason="ALREADY_CLAIMED") for person in before]
        return rows + [self._good(plan, person) for person in free]

    def _settle_deaths(self) -> None:
        """Whoever is dead in the registry is refused in every list that he stands in and whose period he did not reach."""
        for plan in PLANS:
            first = {MONTH: "2026-02", YEAR: "2026-01", LAST_YEAR: "2025-01"}[plan.period]
            for row in self.rows[plan.key]:
                if row.person.died_on and row.person.died_on[:7] < first and row.reason not in BEFORE_LIFE:
                    row.reason = "PERSON_DECEASED"


def yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def write(folder: pathlib.Path, rosters: Rosters) -> list:
    """Writes one CSV a list and returns what stands in each, for the plan file."""
    described = []
    for plan in PLANS:
        rows = rosters.rows[plan.key]
        path = folder / f"{plan.key}.csv"
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["row", "id_no", "name", "payee_id_no", "payee_name", "amount", "quantity", "members", "income",
                             "bill", "tier", "object_id"])
            for number, row in enumerate(rows, start=1):
                payee = row.payee
                writer.writerow([row.number or number, row.id_no or row.person.id_no, row.name or row.person.name,
                                 payee.id_no if payee else "", payee.name if payee else "", yuan(row.amount_fen),
                                 row.quantity, row.members, yuan(row.income_fen), yuan(row.bill_fen), row.tier,
                                 row.object_id])
        reasons = {}
        for row in rows:
            if row.reason:
                reasons[row.reason] = reasons.get(row.reason, 0) + 1
        described.append({
            "key": plan.key, "policy_id": plan.policy, "field": plan.field, "district": plan.district,
            "department_id": f"{SHORT[plan.field]}.{plan.district}", "period": plan.period, "after": plan.after,
            "cancelled": plan.cancelled, "file": path.name, "declared_count": len(rows),
            "declared_fen": sum(row.amount_fen for row in rows),
            "expected_accepted": sum(not row.reason for row in rows),
            "expected_accepted_fen": sum(row.amount_fen for row in rows if not row.reason),
            "expected_reasons": reasons})
    return described


def write_plan(folder: pathlib.Path, plan: dict) -> None:
    (folder / "plan.json").write_text(json.dumps(plan, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
