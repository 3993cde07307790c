"""Everything that carries a payment's reference, joined by it: dispatch, the gateway and the bank in one ordered pass.

Each of the six lists is sorted by its database and read along with the others, so that a million payments take no more memory
than a thousand, and a row that is there twice meets itself.
"""
import collections
import typing

MOST_PLACES = 5
PAID, FAILED, RETURNED = 1, 2, 4
FILE_SENT, FILE_DONE, FILE_REFUSED = 3, 4, 5

# What an agent bank's return codes mean; every other code is BANK_OTHER.
CODES = {3004: "ACCOUNT_INVALID", 3030: "ACCOUNT_INVALID", 3009: "ACCOUNT_NOT_FOUND", 3031: "NAME_MISMATCH", 3065: "NAME_MISMATCH",
         3018: "ACCOUNT_CLOSED", 3039: "ACCOUNT_CLOSED", 3017: "ACCOUNT_FROZEN", 3006: "ACCOUNT_LOST", 3016: "ACCOUNT_LOST",
         3020: "ACCOUNT_LOST", 3010: "CARD_INACTIVE", 3037: "CARD_INACTIVE", 3069: "DORMANT", 3034: "ACCOUNT_TYPE",
         3068: "ACCOUNT_TYPE", 3013: "LIMIT", 3055: "LIMIT", 3040: "AMOUNT", 3051: "DUPLICATE", 3057: "ACCOUNT_STATE",
         3058: "SIGNATURE", 3070: "DECEASED"}

# Rows of each list: the reference first, in its order.
ATTEMPTS = """SELECT a.reference, a.district, a.amount_fen, i.payee_id, a.account_version, a.bank_code
              FROM attempt a JOIN item i ON i.district = a.district AND i.item_id = a.reference / 100
              JOIN submission s ON s.district = a.district AND s.batch_id = a.batch_id AND s.chunk = a.chunk
                                AND s.submission_no = a.submission_no
              WHERE s.refused = '' ORDER BY 1, 2"""
# What a bank had when the gateway was put back from a backup went in a file that the gateway does not have any more.
INSTRUCTIONS = f"""SELECT i.reference, i.district, i.amount_fen, i.person_id, i.account_version, i.payee_bank::bigint, i.last_four,
                          coalesce(h.file_id, s.file_id), CASE WHEN h.file_id IS NULL THEN f.state ELSE {FILE_SENT} END
                   FROM instruction i LEFT JOIN submission s USING (submission_id) LEFT JOIN file f USING (file_id)
                   LEFT JOIN (SELECT DISTINCT district, reference, file_id FROM found_reference) h
                     ON h.district = i.district AND h.reference = i.reference
                   ORDER BY 1, 2"""
OUTCOMES = """SELECT reference, outcome_no, district, state, amount_fen, booked_on::text, coalesce(reason, '') FROM outcome
              WHERE outcome_no > 0 ORDER BY 1, 2, 3"""
STATEMENT_LINES = """SELECT l.reference, s.agreement_no, s.day::text, l.debit, l.amount_fen
                     FROM statement_line l JOIN statement s USING (statement_id) ORDER BY 1, 2, 3, 4"""


class Payment(typing.NamedTuple):
    """What each list has of one reference, in the order of the list; without the reference itself."""
    attempts: list
    instructions: list
    applied: list
    outcomes: list
    lines: list
    booked: list


def grouped(*lists):
    """(reference, rows of each list) for every reference that any of them has; each list is in the order of its first column."""
    lists = [iter(one) for one in lists]
    heads = [next(one, None) for one in lists]
    while True:
        reference = min((head[0] for head in heads if head is not None), default=None)
        if reference is None:
            return
        found = []
        for place, rows in enumerate(lists):
            head, own = heads[place], []
            while head is not None and head[0] == reference:
                own.append(head[1:])
                head = next(rows, None)
            heads[place] = head
            found.append(own)
        yield reference, found


class References:
    """`stream` reads a statement of a database row by row; `books` is the bank's journal."""

    def __init__(self, stream, find, books, complete: set):
        """`complete`: (agreement, day) of each statement that was compared whole."""
        self.stream, self.find, self.books = stream, find, books
        self.complete = complete
        self.last_statement = max((day for _, day in complete), default="")
        self.times = collections.Counter()
        self.days = {}  # (agreement, day, debit) of what was reported on its day -> one of its references

    def join(self) -> None:
        for reference, rows in grouped(
                self.stream("dispatch", ATTEMPTS), self.stream("bankgateway", INSTRUCTIONS), self.stream("dispatch", OUTCOMES),
                self.stream("bankgateway", OUTCOMES), self.stream("bankgateway", STATEMENT_LINES), self.books.rows()):
            payment = Payment(*rows)
            self._sent(reference, payment)
            self._learnt(reference, payment)
            self._booked(reference, payment)
        counted = set(self.stream("bankgateway", "SELECT agreement_no, day::text, debit FROM book_day"))
        for place in sorted(self.days.keys() - counted):
            self._differ("bankgateway.book_day, none of a day on which payments were reported:", place, "", self.days[place])

    def _differ(self, what: str, place, ours, theirs) -> None:
        self.times[what] += 1
        if self.times[what] <= MOST_PLACES:
            self.find(f"{what} {place}: {ours or 'nothing'} and {theirs or 'nothing'}")

    def _sent(self, reference: int, payment: Payment) -> None:
        """Who is to be paid how much, into which account; and by which file the bank was told."""
        theirs = [row[:5] for row in payment.instructions]
        if payment.attempts != theirs:
            self._differ("dispatch.attempt and bankgateway.instruction differ at reference", reference, payment.attempts, theirs)
        ours = [(file, fen, last_four) for _, fen, _, _, _, last_four, file, state in payment.instructions
                if state in (FILE_SENT, FILE_DONE)]
        theirs = [(row.file_id, row.amount_fen, row.last_four) for (row,) in payment.booked]
        if ours != theirs:
            self._differ("bankgateway.instruction and the bank's journal differ at reference", reference, ours, theirs)

    def _learnt(self, reference: int, payment: Payment) -> None:
        if payment.applied != payment.outcomes:
            self._differ("dispatch.outcome and bankgateway.outcome differ at reference", reference, payment.applied,
                         payment.outcomes)
        # A file that was refused whole failed all its rows: the bank has none of them.
        refused = any(row[7] == FILE_REFUSED for row in payment.instructions)
        ours = [row[5] for row in payment.outcomes if row[2] == FAILED and not refused]
        theirs = [f"BANK_{CODES.get(row.code, 'OTHER')}" for (row,) in payment.booked if row.code]
        if ours != theirs:
            self._differ("bankgateway.outcome and the bank's journal differ in why it failed: reference", reference, ours, theirs)

    def _booked(self, reference: int, payment: Payment) -> None:
        """What was credited and came back, on which day; and the lines of the days that are over."""
        ours = sorted((state, day) for _, _, state, _, day, _ in payment.outcomes if state in (PAID, RETURNED))
        theirs, lines = [], []
        for (row,) in payment.booked:
            # What is credited and not reported is known by the statement of its day, once the day is over.
            if row.credited_on and (row.reported or row.credited_on < self.books.last_day
                                    or any(state == PAID for state, _ in ours)):
                theirs.append((PAID, row.credited_on))
            if row.returned_on:
                theirs.append((RETURNED, row.returned_on))
            agreement = self.books.files[row.file_id].agreement_no if row.file_id in self.books.files else "none"
            for day, debit, told in ((row.credited_on, True, row.credit_told), (row.returned_on, False, row.return_told)):
                if day and told:
                    self.days[(agreement, day, debit)] = reference
                # A day that is over has its statement.
                if day and day <= self.last_statement:
                    lines.append((agreement, day, debit, row.amount_fen))
                    if (agreement, day) not in self.complete:
                        self._differ("bankgateway.statement, none that is complete of", f"{agreement} on {day}", "", reference)
        if ours != theirs:
            self._differ("bankgateway.outcome and the bank's journal differ at reference", reference, ours, theirs)
        lines.sort()
        if sorted(payment.lines) != lines:
            self._differ("bankgateway.statement_line and the bank's journal differ at reference", reference, payment.lines, lines)
