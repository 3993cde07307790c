"""Reads the stand-in bank's journal (services/banksim/README.md) apart from the bank: it believes no summary."""
import binascii
import dataclasses
import pathlib
import typing


class JournalError(Exception):
    """The journal is damaged before its last whole group."""


@dataclasses.dataclass(slots=True)
class Booked:
    """What the journal holds of one reference."""
    amount_fen: int
    credits: int = 0
    returns: int = 0
    failures: int = 0


def groups(path: pathlib.Path):
    """The whole groups of a journal, each a list of lines in fields; a torn tail was never answered by the bank."""
    group = []
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = raw.rstrip(b"\n")
            if number == 1:
                if not line.startswith(b"V|YKTJ1"):
                    raise JournalError("the journal's head is missing")
                continue
            body, checksum = line[:-8], line[-8:]
            if not raw.endswith(b"\n") or f"{binascii.crc32(body):08x}".encode() != checksum.lower():
                rest = lines.read(1 << 20)
                if b"\nE|" in rest or rest.startswith(b"E|"):
                    raise JournalError(f"line {number} does not fit its checksum")
                return  # the torn tail
            fields = body.decode().split("|")
            if fields[0] != "E":
                group.append(fields)
                continue
            if int(fields[1]) != len(group):
                raise JournalError(f"line {number}: a group has another number of lines")
            yield group
            group = []


def read(path: pathlib.Path) -> dict:
    """reference -> Booked, from whole groups only."""
    booked = {}
    for group in groups(path):
        for one in group:
            _take(booked, one)
    return booked


def _take(booked: dict, fields: list) -> None:
    kind = fields[0]
    if kind not in ("C", "X", "R"):
        return
    # C|number|date|file|reference|amount|…, X and R alike
    reference, amount = int(fields[4]), int(fields[5])
    entry = booked.get(reference)
    if entry is None:
        entry = booked[reference] = Booked(amount)
    if entry.amount_fen != amount:
        raise JournalError(f"reference {reference} has two amounts")
    if kind == "C":
        entry.credits += 1
    elif kind == "R":
        entry.returns += 1
    else:
        entry.failures += 1


@dataclasses.dataclass(slots=True)
class Row:
    """One payment as the bank's books have it."""
    file_id: str
    amount_fen: int
    last_four: int
    credited_on: str = ""
    returned_on: str = ""
    reported: bool = False
    code: int = 0


class File(typing.NamedTuple):
    """One file as the bank took it."""
    agreement_no: str
    bank_code: str
    rows: int
    total_fen: int
    sha256: str
    reason: str


class Books:
    """All of a journal: files, rows, results; `faults` are places where it contradicts itself."""

    def __init__(self):
        self.files = {}
        self.rows = {}
        self.results = {}  # bank -> number of its last result
        self.days = set()  # (day, kind of line)
        self.faults = []

    def take(self, group: list) -> None:
        """One group: a file with its rows, or what was booked later."""
        file, rows, total = None, 0, 0
        for fields in group:
            kind = fields[0]
            if kind == "F":
                file = fields[2]
                if file in self.files:
                    self.faults.append(f"file {file} was taken twice")
                self.files[file] = File(fields[5], fields[4], int(fields[6]), int(fields[7]), fields[8], fields[9])
                rows, total = 0, 0
            elif kind in ("C", "X", "P", "N", "R"):
                at = 1 if kind == "P" else 2
                number = 0 if kind == "P" else int(fields[1])
                self.days.add((fields[at], kind))
                fen = self._row(kind, number, fields[at:], file)
                rows, total = rows + (fen > 0), total + fen
        if file is not None and not self.files[file].reason and \
                (rows, total) != (self.files[file].rows, self.files[file].total_fen):
            self.faults.append(f"file {file} has {rows} rows and {total} fen")

    def _row(self, kind: str, number: int, fields: list, file) -> int:
        """Takes one line; the amount where it is a row of the file that is being taken, else 0."""
        day, of_file, reference = fields[0], fields[1], int(fields[2])
        row = self.rows.get(reference)
        fen = 0
        if row is None and kind in ("C", "X", "P"):
            row = self.rows[reference] = Row(of_file, int(fields[3]), int(fields[4]))
            fen = row.amount_fen
        elif row is None:
            self.faults.append(f"reference {reference} has no row that its {kind} could be of")
            return 0
        elif of_file == file and kind in ("C", "X", "P"):
            self.faults.append(f"reference {reference} is twice in file {file}")
            fen = int(fields[3])
        if of_file != row.file_id or (kind != "N" and (int(fields[3]), int(fields[4])) != (row.amount_fen, row.last_four)):
            self.faults.append(f"reference {reference} is another payment in its {kind}")
        if kind == "C":
            if row.credited_on:
                self.faults.append(f"reference {reference} was credited twice")
            row.credited_on = day
        elif kind == "X":
            row.code = int(fields[5])
        elif kind == "R":
            if not row.credited_on or row.returned_on:
                self.faults.append(f"reference {reference} came back without a credit, or twice")
            row.returned_on = day
        row.reported |= number > 0
        if number:
            bank = self.files[of_file].bank_code if of_file in self.files else ""
            if number != self.results.get(bank, 0) + 1:
                self.faults.append(f"result {number} of bank {bank} does not follow")
            self.results[bank] = number
        return fen


def read_whole(path: pathlib.Path) -> Books:
    """The journal's files, rows and results."""
    books = Books()
    for group in groups(path):
        books.take(group)
    return books
