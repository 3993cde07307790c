"""What the stand-in bank did, read from its own journal (services/banksim/README.md): the model takes it as an input."""
import binascii
import dataclasses
import datetime
import pathlib


@dataclasses.dataclass(slots=True)
class Booked:
    credited_on: "datetime.date | None" = None
    reported: bool = False
    failed: int = 0
    returned_on: "datetime.date | None" = None


class Bank:
    def __init__(self, path: pathlib.Path):
        self.path = path
        self.offset = 0
        self.group = []
        self.rows = {}
        self.due = {}      # (what, reference) -> day
        self.refused = {}  # (agreement, day) -> rows

    def read(self) -> None:
        """Goes on where the last look ended; what has no group's end yet was never answered."""
        if not self.path.exists():
            return
        with self.path.open("rb") as journal:
            journal.seek(self.offset)
            for line in journal:
                if not line.endswith(b"\n"):
                    return
                self.offset += len(line)
                if line.startswith(b"V|"):
                    continue
                body, check = line[:-9], line[-9:-1]
                if f"{binascii.crc32(body):08x}".encode() != check.lower():
                    raise RuntimeError("the bank's journal is damaged")
                fields = body.decode().split("|")
                if fields[0] != "E":
                    self.group.append(fields)
                    continue
                for one in self.group:
                    self._take(one)
                self.group.clear()

    def _take(self, fields: list) -> None:
        kind = fields[0]
        if kind == "L":
            self.due[(fields[3], int(fields[2]))] = datetime.date.fromisoformat(fields[1])
        elif kind == "F" and fields[9]:
            key = (fields[5], datetime.date.fromisoformat(fields[1]))
            self.refused[key] = self.refused.get(key, 0) + int(fields[6])
        elif kind == "P":
            self.rows[int(fields[3])] = Booked()
        elif kind in ("C", "X", "R", "N"):
            reference = int(fields[4])
            row = self.rows.setdefault(reference, Booked())
            row.reported |= fields[1] != "0"
            day = datetime.date.fromisoformat(fields[2])
            if kind == "C":
                if row.credited_on is not None:
                    raise RuntimeError(f"the bank credited reference {reference} twice")
                row.credited_on = day
            elif kind == "X":
                row.failed = int(fields[7])
            elif kind == "R":
                row.returned_on = day
            done = {"C": "CREDIT", "N": "REPORT", "R": "RETURN"}.get(kind)
            self.due.pop((done, reference), None)

    def of(self, reference: int) -> "Booked | None":
        return self.rows.get(reference)

    def refused_rows(self, agreement: str, day: datetime.date) -> int:
        """Rows of files that the bank refused whole; all files of an agreement and a day share one fate."""
        return self.refused.get((agreement, day), 0)

    def overdue(self, today: datetime.date) -> int:
        return sum(day <= today for day in self.due.values())
