"""Reads the stand-in bank's journal (services/banksim/README.md) apart from the bank: it believes no summary.

A journal is longer than memory. Its lines go into a temporary table of a database session, which sorts them by reference; the
rest (files, the last result of each bank, days) is a few rows and stays here.
"""
import binascii
import dataclasses
import pathlib
import typing


class JournalError(Exception):
    """The journal is damaged before its last whole group."""


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


@dataclasses.dataclass(slots=True)
class Booked:
    """What the journal holds of one reference."""
    amount_fen: int
    credits: int = 0
    returns: int = 0


@dataclasses.dataclass(slots=True)
class Row:
    """One payment as the bank's books have it."""
    file_id: str
    amount_fen: int
    last_four: int
    credited_on: str = ""
    returned_on: str = ""
    reported: bool = False     # by a result, whenever
    credit_told: bool = False  # on its day
    return_told: bool = False
    code: int = 0


class File(typing.NamedTuple):
    """One file as the bank took it."""
    agreement_no: str
    bank_code: str
    rows: int
    total_fen: int
    sha256: str
    reason: str


class Feed:
    """Text that a COPY reads, made piece by piece."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.error = None

    def read(self, _size: int = -1) -> str:
        try:
            return next(self.pieces, "")
        except JournalError as error:
            self.error = error
            raise


class Books:
    """All of a journal, over a session in which temporary tables can be made. `faults` are places where it contradicts
    itself; those of single payments are there once `rows` has been read to its end."""

    TABLE = """CREATE TEMPORARY TABLE bank_line (
                 line bigint NOT NULL, reference bigint NOT NULL, kind text NOT NULL, number bigint NOT NULL, day text NOT NULL,
                 file_id text NOT NULL, amount_fen bigint NOT NULL, last_four integer NOT NULL, code integer NOT NULL,
                 of_its_file boolean NOT NULL)"""
    LINES_A_PIECE = 2_000

    def __init__(self, path: pathlib.Path, connection):
        self.connection = connection
        self.files = {}
        self.results = {}  # bank -> number of its last result
        self.last_day = ""
        self.faults = []
        with connection, connection.cursor() as cursor:
            # Whoever reads a second journal over one session has done with the first.
            cursor.execute("DROP TABLE IF EXISTS bank_line")
            cursor.execute(self.TABLE)
            feed = Feed(self._pieces(path))
            try:
                cursor.copy_expert("COPY bank_line FROM STDIN", feed)
            except Exception:
                if feed.error is None:
                    raise
                raise feed.error from None  # the database knows only that its input broke off
            cursor.execute("CREATE INDEX ON bank_line (reference, line)")
            cursor.execute("ANALYZE bank_line")

    def _pieces(self, path: pathlib.Path):
        piece, line = [], 0
        for group in groups(path):
            for values in self._take(group):
                line += 1
                piece.append(f"{line}\t{values}\n")
                if len(piece) == self.LINES_A_PIECE:
                    yield "".join(piece)
                    piece = []
        yield "".join(piece)

    def _take(self, group: list):
        """One group: a file with its rows, or what was booked later. Gives its lines of payments as the table has them."""
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
                number, (day, of_file, reference, *more) = (0, fields[1:]) if kind == "P" else (int(fields[1]), fields[2:])
                fen, last_four = (int(more[0]), int(more[1])) if kind != "N" else (0, 0)
                own = of_file == file and kind in ("C", "X", "P")
                rows, total = rows + own, total + own * fen
                self.last_day = max(self.last_day, day)
                if number:
                    self._number(number, of_file)
                code = int(more[2]) if kind == "X" else 0
                yield f"{int(reference)}\t{kind}\t{number}\t{day}\t{of_file}\t{fen}\t{last_four}\t{code}\t{own}"
        if file is not None and not self.files[file].reason and \
                (rows, total) != (self.files[file].rows, self.files[file].total_fen):
            self.faults.append(f"file {file} has {rows} rows and {total} fen")

    def _number(self, number: int, of_file: str) -> None:
        bank = self.files[of_file].bank_code if of_file in self.files else ""
        if number != self.results.get(bank, 0) + 1:
            self.faults.append(f"result {number} of bank {bank} does not follow")
        self.results[bank] = number

    # --- What was booked ------------------------------------------------------------------------------------------------

    def booked(self, first: int, last: int) -> dict:
        """reference -> Booked, of the references from `first` to `last`."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT reference, max(amount_fen), count(*) FILTER (WHERE kind = 'C'), "
                           "count(*) FILTER (WHERE kind = 'R') FROM bank_line WHERE reference BETWEEN %s AND %s "
                           "AND kind IN ('C', 'X', 'R') GROUP BY reference", (first, last))
            return {reference: Booked(*values) for reference, *values in cursor}

    def credits(self) -> dict:
        """How many credits, of how many fen, and how many references that have more than one."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(times), 0)::bigint, coalesce(sum(fen), 0)::bigint, "
                           "count(*) FILTER (WHERE times > 1) FROM (SELECT count(*) AS times, sum(amount_fen) AS fen FROM bank_line WHERE kind = 'C' "
                           "GROUP BY reference) c")
            return dict(zip(("credits", "fen", "references_credited_twice"), cursor.fetchone()))

    def paid_twice(self) -> list:
        """(item, times) of each item for which more than one credit stands, over all its attempts."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT reference / 100, count(*) FILTER (WHERE kind = 'C') - count(*) FILTER (WHERE kind = 'R') "
                           "FROM bank_line WHERE kind IN ('C', 'R') GROUP BY 1 "
                           "HAVING count(*) FILTER (WHERE kind = 'C') - count(*) FILTER (WHERE kind = 'R') > 1")
            return cursor.fetchall()

    def rows(self):
        """(reference, Row) of each payment, in the order of the references."""
        with self.connection.cursor(name="bank_lines") as cursor:
            cursor.itersize = 20_000
            cursor.execute("SELECT reference, kind, number, day, file_id, amount_fen, last_four, code, of_its_file FROM bank_line "
                           "ORDER BY reference, line")
            last, row = None, None
            for reference, *line in cursor:
                if reference != last:
                    if row is not None:
                        yield last, row
                    last, row = reference, None
                row = self._row(reference, row, *line)
            if row is not None:
                yield last, row

    def _row(self, reference: int, row, kind, number, day, of_file, fen, last_four, code, own):
        """What a payment is after one more line of it; nothing while no line has said who is paid."""
        if row is None:
            if kind not in ("C", "X", "P"):
                self.faults.append(f"reference {reference} has no row that its {kind} could be of")
                return None
            row = Row(of_file, fen, last_four)
        elif own:
            self.faults.append(f"reference {reference} is twice in file {of_file}")
        if of_file != row.file_id or (kind != "N" and (fen, last_four) != (row.amount_fen, row.last_four)):
            self.faults.append(f"reference {reference} is another payment in its {kind}")
        if kind == "C":
            if row.credited_on:
                self.faults.append(f"reference {reference} was credited twice")
            row.credited_on = day
            row.credit_told = number > 0
        elif kind == "X":
            row.code = code
        elif kind == "R":
            if not row.credited_on or row.returned_on:
                self.faults.append(f"reference {reference} came back without a credit, or twice")
            row.returned_on = day
            row.return_told = number > 0
        row.reported |= number > 0
        return row
