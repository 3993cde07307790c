"""Made-up people on real divisions; nobody real.

Sequence numbers of ID numbers are 500 and above with the check digit of GB 11643, villages are made up and marked so.
Everything is drawn from one seeded generator, so that a seed gives the same city twice.
"""
import dataclasses
import datetime
import random

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂兰英华玉萍红玲建国文斌宇浩凯健俊帆雪"
RARE = ("䶮", "㛃", "𬱖")
ETHNIC = ("买买提·艾力", "阿依古丽·热合曼", "古丽娜·吐尔逊", "巴特尔·那木汗")

# Four banks that do not exist (kind 999): three are agent banks, the fourth is one for a single department.
BANKS = ("999110000015", "999110000023", "999110010512", "999110011511")
CLOSED_BANK = "999110012016"  # agent of an agreement, and suspended; nobody has a card of it


def id_number(area: int, born: datetime.date, sequence: int) -> str:
    """An 18-character citizen number with its check digit (ISO 7064 MOD 11-2)."""
    body = f"{area:06d}{born:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS))
    return body + CHECK[total % 11]


def luhn(body: str) -> str:
    """`body` with its Luhn check digit."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit)
        if position % 2 == 0:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return body + str(-total % 10)


@dataclasses.dataclass(slots=True)
class Person:
    id_no: str
    name: str
    born: datetime.date
    district: int
    village: int
    household: int
    role: str  # HEAD, SPOUSE, CHILD, PARENT
    guardian: "Person | None" = None
    phone: str = ""
    died_on: str = ""
    card_no: str = ""
    card_state: str = ""
    bank: str = ""
    account: str = ""
    account_name: str = ""
    legacy_bank: str = ""
    legacy_account: str = ""

    def age_at(self, day: datetime.date) -> int:
        """Full years; born on February 29 one becomes older on March 1 in a common year."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


class City:
    """Draws households district by district, and remembers who can stand where in a list."""

    def __init__(self, seed: int, villages: dict, today: datetime.date):
        self.random = random.Random(seed)
        self.villages = villages  # district -> list of village codes
        self.today = today
        self.people = []
        self.households = {district: [] for district in villages}  # lists of members, the head first
        self._next_household = 0
        self._used = {}  # (area, born) -> next sequence number
        self._next_account = 0

    def _born(self, youngest: int, oldest: int) -> datetime.date:
        age = self.random.randint(youngest, oldest)
        return self.today - datetime.timedelta(days=int(age * 365.2425) + self.random.randint(1, 360))

    def _name(self) -> str:
        draw = self.random.random()
        if draw < 0.004:
            return self.random.choice(ETHNIC)
        given = "".join(self.random.choice(GIVEN) for _ in range(1 if draw < 0.25 else 2))
        if draw > 0.995:
            given = given[:-1] + self.random.choice(RARE)
        return self.random.choice(SURNAMES) + given

    def _account(self, person: Person) -> None:
        """A social-security card for most; an older account only, a lost card or nothing for a few."""
        self._next_account += 1
        number = luhn(f"62000{self._next_account:013d}")
        draw = self.random.random()
        bank = BANKS[self.random.choices((0, 1, 2, 3), (36, 30, 26, 8))[0]]
        if draw < 0.012:
            person.legacy_bank, person.legacy_account = bank, number
            return
        if draw < 0.016:
            return
        person.card_no = f"{self.random.choice('ABCDEFGH')}{self._next_account:08d}"
        person.bank, person.account = bank, number
        person.card_state = "NOT_ACTIVE" if draw < 0.022 else "LOST" if draw < 0.026 else \
            "CANCELLED" if draw < 0.028 else "ACTIVE"
        if any(character in person.name for character in RARE) and draw > 0.5:
            # What banks keep of a name that they cannot write.
            person.account_name = person.name[:-1] + "*"

    def _person(self, district: int, village: int, household: int, role: str, born: datetime.date) -> Person:
        area = district if self.random.random() < 0.9 else self.random.choice((120225, 120107, 131081, 120223))
        key = (area, born)
        sequence = self._used.get(key, 500)
        while sequence > 999:
            born += datetime.timedelta(days=1)
            key = (area, born)
            sequence = self._used.get(key, 500)
        self._used[key] = sequence + 1
        person = Person(id_number(area, born, sequence), self._name(), born, district, village, household, role)
        if self.random.random() < 0.8 and role != "CHILD":
            person.phone = f"139{self.random.randint(0, 99_999_999):08d}"
        self.people.append(person)
        return person

    def household(self, district: int, kind: str) -> list:
        """One household: `elder` (one or two old people), `family` (parents and children), `infant` (with one under two)."""
        self._next_household += 1
        number = self._next_household
        village = self.random.choice(self.villages[district])
        add = lambda role, youngest, oldest: self._person(district, village, number, role,
                                                          self._born(youngest, oldest))
        if kind == "elder":
            members = [add("HEAD", 62, 98)]
            if self.random.random() < 0.6:
                members.append(add("SPOUSE", 62, 95))
        elif kind == "old":
            members = [add("HEAD", 81, 101)]
        else:
            members = [add("HEAD", 26, 58), add("SPOUSE", 25, 57)]
            if kind == "infant":
                # Under two on the first day of the year, so that age and months agree all year.
                born = datetime.date(self.today.year - 1, self.random.randint(1, 12), self.random.randint(1, 28))
                members.append(self._person(district, village, number, "CHILD", born))
            elif self.random.random() < 0.5:
                members.append(add("CHILD", 4, 16))
            for member in members[2:]:
                member.guardian = members[0]
        for member in members:
            if member.role != "CHILD":
                self._account(member)
        self.households[district].append(members)
        return members

    def stranger(self, district: int) -> Person:
        """A valid number and a name that no registry knows."""
        person = Person(id_number(district, self._born(30, 60), self.random.randint(100, 499)), self._name(),
                        self.today, district, 0, 0, "HEAD")
        return person

    def new_card(self, person: Person, avoid_bank: str = "") -> dict:
        """A replacement card, as the card office would report it."""
        self._next_account += 1
        bank = person.bank or BANKS[0]
        if bank == avoid_bank:
            bank = BANKS[0]
        return {"card_no": f"R{self._next_account:08d}", "bank_code": bank,
                "account_no": luhn(f"62000{self._next_account:013d}")}
