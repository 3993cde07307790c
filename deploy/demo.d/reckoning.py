"""Joins the input, the services' databases and the bank's journal, and finds every difference between them.

It shares no code with the services and believes none of their sums: each figure is counted from rows. A single altered row
is a difference. What it holds in memory grows with the longest list, not with all of them.
"""
import csv
import dataclasses
import json
import pathlib

import psycopg2

import joins
import journal

# Buckets and states as the schema of dispatch numbers them.
HELD, STOPPED, UNROUTABLE, ABANDONED = 2, 3, 4, 11
CANCELLED_BATCH = 11
PAID, FAILED, UNKNOWN, RETURNED = 1, 2, 3, 4
APPROPRIATION, AVAILABLE, RESERVED, IN_TRANSIT, PAID_OUT, TREASURY, TRANSFER, CARRY_OVER, LAPSED, SETTLED = range(1, 11)
KEYS = ("declared", "accepted", "rejected", "held", "stopped", "unroutable", "sent", "paid", "failed", "unknown",
        "returned_open", "returned", "unknown_credited", "reissued_paid")
MOST_FINDINGS = 50


@dataclasses.dataclass(slots=True)
class Attempt:
    reference: int
    amount: int
    outcome: int = 0
    outcomes: int = 0
    reason: str = ""
    ever_returned: bool = False


class Reckoning:
    def __init__(self, socket: str, journal_path: pathlib.Path, folder: pathlib.Path, rules_path: pathlib.Path,
                 every_table: bool = True):
        """Without `every_table` what no figure of the report needs is not joined."""
        self.socket = socket
        self.every_table = every_table
        self.journal_path = journal_path
        self.folder = folder
        self.plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        rules = json.loads(rules_path.read_text(encoding="utf-8"))
        self.rules = {rule["policy_id"]: rule for rule in rules["policies"]}
        self.findings = []
        self.count = dict.fromkeys(KEYS, 0)
        self.fen = dict.fromkeys(KEYS, 0)
        self.reasons = {}
        self.expected_line = {}  # (district, line) -> {account: fen}
        self.analyzed = set()
        self.booked = {}  # of the batch that is looked at
        self.seen_instructions = self.seen_credits = 0

    def _find(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def _add(self, key: str, amount: int, times: int = 1) -> None:
        self.count[key] += times
        self.fen[key] += amount

    def _reason(self, reason: str, times: int = 1) -> None:
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + times

    def _connect(self, database: str):
        """A session that reads one moment of one database."""
        connection = psycopg2.connect(host=self.socket, dbname=database, user="postgres")
        if database not in self.analyzed:
            # What was loaded a moment ago has no statistics yet.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            connection.autocommit = False
            self.analyzed.add(database)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        plan_for_whole_tables(connection)
        return connection

    def _workshop(self):
        """A session for temporary tables, in a database that is nobody's."""
        return psycopg2.connect(host=self.socket, dbname="postgres", user="postgres")

    @staticmethod
    def _stream(connection, sql: str, arguments=()):
        """Rows of a statement, a few thousand in memory at a time."""
        with connection.cursor(name=f"c{abs(hash((sql, arguments))):x}") as cursor:
            cursor.itersize = 20_000
            cursor.execute(sql, arguments)
            yield from cursor

    # --- What is joined -----------------------------------------------------------------------------------------------

    def run(self, batches: dict) -> dict:
        """`batches`: key of the plan -> batch id. Returns the parts of the report that are counted from rows."""
        workshop = self._workshop()
        dispatch = self._connect("dispatch")
        gateway = self._connect("bankgateway")
        try:
            self.books = journal.Books(self.journal_path, workshop)
            self._check_batches_are_the_plan(dispatch, batches)
            for described in self.plan["batches"]:
                self._batch(dispatch, gateway, described, batches[described["key"]])
            credited = self.books.credits()
            self._check_both_ways(gateway, credited)
            ledger = self._check_ledger(dispatch)
            self._check_statements(gateway)
            self._check_equalities(credited)
            if self.every_table:
                joins.Joins(self._connect, self._find, self.books, self.folder, self.plan, batches, self.rules).run()
        finally:
            workshop.close()
            dispatch.close()
            gateway.close()
        return {"payments": self.count, "fen": self.fen, "reasons": dict(sorted(self.reasons.items())),
                "bank_journal": credited, "ledger": ledger, "differences": self.findings}

    def _check_batches_are_the_plan(self, dispatch, batches: dict) -> None:
        stored = {row[0] for row in self._stream(dispatch, "SELECT batch_id FROM batch")}
        for batch in stored - set(batches.values()):
            self._find(f"batch {batch} is in the database and not in the input")
        for batch in set(batches.values()) - stored:
            self._find(f"batch {batch} is in the input and not in the database")

    def _roster(self, described: dict) -> tuple:
        """The amounts of all rows, and those by row number; a number that comes twice is that of its first row."""
        amounts, numbered = [], {}
        with (self.folder / described["file"]).open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                amounts.append(round_free_fen(row["amount"]))
                numbered.setdefault(int(row["row"]), amounts[-1])
        return amounts, numbered

    def _batch(self, dispatch, gateway, described: dict, batch: int) -> None:
        key = described["key"]
        amounts, numbered = self._roster(described)
        with dispatch.cursor() as cursor:
            cursor.execute("SELECT district, first_item, declared_count, declared_fen, state FROM batch "
                           "WHERE batch_id = %s", (batch,))
            found = cursor.fetchone()
        if found is None:
            return
        district, first_item, declared_count, declared_fen, state = found
        cancelled = state == CANCELLED_BATCH
        if cancelled != described["cancelled"]:
            self._find(f"{key}: {'cancelled' if cancelled else 'not cancelled'}, unlike the plan")
        if (declared_count, declared_fen) != (len(amounts), sum(amounts)):
            self._find(f"{key}: declared {declared_count} rows, {declared_fen} fen; the roster has {len(amounts)}, "
                       f"{sum(amounts)}")
        for amount in amounts:
            self._add("declared", amount)

        rejected = set()
        refused = 0
        reasons = {}
        for row, reason, amount in self._stream(
                dispatch, "SELECT row_number, reason, amount_fen FROM rejection WHERE district = %s AND batch_id = %s",
                (district, batch)):
            refused += 1
            if reason != "ROW_NUMBER_REPEATED":
                rejected.add(row)
            reasons[reason] = reasons.get(reason, 0) + 1
            self._add("rejected", amount)
            self._reason(reason)
        if reasons != described["expected_reasons"]:
            self._find(f"{key}: refused for {sorted(reasons.items())}, expected "
                       f"{sorted(described['expected_reasons'].items())}")

        exceptions = {}
        abandoned = set()
        for item, bucket, reason, resolved in self._stream(
                dispatch, "SELECT item_id, bucket, reason, resolved FROM exception "
                          "WHERE district = %s AND batch_id = %s ORDER BY item_id, exception_no", (district, batch)):
            self._reason(reason)
            if bucket == ABANDONED:
                abandoned.add(item)
            elif not resolved:
                exceptions[item] = (bucket, reason)

        attempts = {}
        span = (district, first_item * 100, (first_item + declared_count) * 100 - 1)
        self.booked = self.books.booked(*span[1:])
        instructions = dict(self._stream(gateway, "SELECT reference, amount_fen FROM instruction WHERE district = %s "
                                                  "AND reference BETWEEN %s AND %s", span))
        for reference, amount in self._stream(
                dispatch, "SELECT reference, amount_fen FROM attempt WHERE district = %s AND reference BETWEEN %s AND %s "
                          "ORDER BY reference", span):
            attempts.setdefault(reference // 100, []).append(Attempt(reference, amount))
        self._outcomes(dispatch, gateway, span, attempts)

        lines = self._lines(dispatch, district, batch)
        for amount in self._stream(
                dispatch, "SELECT sum(amount_fen)::bigint FROM recovery_receipt WHERE district = %s AND batch_id = %s "
                          "GROUP BY item_id", (district, batch)):
            # What was paid wrongly and came back: the bank credited it, the line has it again.
            self._expect(lines, PAID_OUT, amount[0], -1)
        items = 0
        for item, amount in self._stream(
                dispatch, "SELECT item_id, amount_fen FROM item WHERE district = %s AND batch_id = %s", (district, batch)):
            items += 1
            row = item - first_item + 1
            if numbered.get(row) != amount:
                self._find(f"{key}, row {row}: the item has {amount} fen, the roster another amount")
            if row in rejected:
                self._find(f"{key}, row {row}: accepted and refused")
            if cancelled:
                self._cancelled(key, row, amount, attempts.get(item, []))
                continue
            self._item(key, row, amount, exceptions.get(item), attempts.get(item, []), item in abandoned, lines,
                       instructions)
        if items + refused != len(amounts):
            self._find(f"{key}: {items} accepted and {refused} refused are not {len(amounts)} rows")
        if items != described["expected_accepted"]:
            self._find(f"{key}: {items} accepted, expected {described['expected_accepted']}")
        self._unsent(attempts, instructions)

    def _unsent(self, attempts: dict, instructions: dict) -> None:
        """What the gateway or the bank has of a batch, and nobody sent."""
        sent = {attempt.reference for tries in attempts.values() for attempt in tries}
        for reference in instructions.keys() - sent:
            self._find(f"reference {reference}: an instruction without an attempt")
        for reference, entry in self.booked.items():
            self.seen_credits += entry.credits
            if entry.credits and reference not in sent:
                self._find(f"reference {reference}: the bank credited what nobody sent")
        self.seen_instructions += len(instructions)

    def _outcomes(self, dispatch, gateway, span: tuple, attempts: dict) -> None:
        known = {(reference, number): state for reference, number, state in self._stream(
            gateway, "SELECT reference, outcome_no, state FROM outcome WHERE district = %s AND reference BETWEEN %s AND %s", span)}
        for reference, number, state, reason, amount in self._stream(
                dispatch, "SELECT reference, outcome_no, state, reason, amount_fen FROM outcome "
                          "WHERE district = %s AND reference BETWEEN %s AND %s ORDER BY reference, outcome_no", span):
            tries = [one for one in attempts.get(reference // 100, []) if one.reference == reference]
            if not tries:
                self._find(f"reference {reference}: an outcome without an attempt")
                continue
            attempt = tries[0]
            attempt.outcome, attempt.reason = state, reason
            attempt.outcomes += 1
            attempt.ever_returned |= state == RETURNED
            self._reason(reason)
            if amount != attempt.amount:
                self._find(f"reference {reference}: outcome {number} has {amount} fen, the attempt {attempt.amount}")
            told = known.pop((reference, number), state)
            if told != state:
                self._find(f"reference {reference}: outcome {number} is {state} here and {told} at the gateway")
        for reference, number in known:
            self._find(f"reference {reference}: outcome {number} of the gateway was not applied")

    def _lines(self, dispatch, district: int, batch: int) -> list:
        """(line, share) of a batch, in the order of its sources."""
        with dispatch.cursor() as cursor:
            cursor.execute("SELECT line_id, policy_id, source FROM reservation JOIN budget_line USING (district, line_id) "
                           "JOIN batch USING (district, batch_id, policy_id) "
                           "WHERE district = %s AND batch_id = %s ORDER BY source_no", (district, batch))
            rows = cursor.fetchall()
        lines = []
        for line, policy, source in rows:
            funding = self.rules[policy]["versions"][-1]["funding"]
            share = next((one["share_bp"] for one in funding if one["source"] == source), 0)
            lines.append(((district, line), share))
        return lines

    def _expect(self, lines: list, account: int, amount: int, sign: int = 1) -> None:
        """One item's amount on its lines, remainder to the first source; taken off with the sign -1."""
        rest = amount
        for line, share in lines[1:]:
            part = amount * share // 10_000
            rest -= part
            self.expected_line.setdefault(line, {}).setdefault(account, 0)
            self.expected_line[line][account] += sign * part
        if lines:
            self.expected_line.setdefault(lines[0][0], {}).setdefault(account, 0)
            self.expected_line[lines[0][0]][account] += sign * rest

    def _cancelled(self, key: str, row: int, amount: int, tries: list) -> None:
        self._add("accepted", amount)
        self._add("stopped", amount)
        self._reason("BATCH_CANCELLED")
        if tries:
            self._find(f"{key}, row {row}: sent although its batch was cancelled")

    def _item(self, key: str, row: int, amount: int, exception, tries: list, abandoned: bool, lines: list,
              instructions: dict) -> None:
        """Puts one item into its one state, and compares every attempt of it with the gateway and the bank."""
        self._add("accepted", amount)
        for attempt in tries:
            self._add("sent", attempt.amount)
            self._attempt(key, row, amount, attempt, instructions)
        last = tries[-1] if tries else None
        for earlier in tries[:-1]:
            if earlier.outcome not in (FAILED, RETURNED):
                self._find(f"{key}, row {row}: sent again although attempt {earlier.reference} has not failed")
        if exception is not None:
            bucket = exception[0]
            name = {HELD: "held", STOPPED: "stopped", UNROUTABLE: "unroutable"}[bucket]
            self._add(name, amount)
            if bucket != STOPPED:
                self._expect(lines, RESERVED, amount)
        elif last is None:
            self._find(f"{key}, row {row}: accepted, and nothing has become of it")
        elif last.outcome == PAID:
            self._add("paid", amount)
            self._expect(lines, PAID_OUT, amount)
            if len(tries) > 1:
                self._add("reissued_paid", amount)
        elif last.outcome == FAILED:
            self._add("failed", amount)
            if not abandoned:
                self._expect(lines, RESERVED, amount)
        elif last.outcome == RETURNED:
            self._add("returned_open", amount)
        else:
            self._add("unknown", amount)
            self._expect(lines, IN_TRANSIT, amount)

    def _attempt(self, key: str, row: int, amount: int, attempt: Attempt, instructions: dict) -> None:
        at = f"{key}, row {row}, reference {attempt.reference}"
        if attempt.amount != amount:
            self._find(f"{at}: the attempt has {attempt.amount} fen, the item {amount}")
        instructed = instructions.get(attempt.reference)
        if instructed is None:
            if attempt.outcome != FAILED:
                self._find(f"{at}: the gateway has no instruction")
        elif instructed != amount:
            self._find(f"{at}: the instruction has {instructed} fen, the item {amount}")
        booked = self.booked.get(attempt.reference)
        credits = booked.credits if booked else 0
        returns = booked.returns if booked else 0
        if booked and booked.amount_fen != amount:
            self._find(f"{at}: the bank booked {booked.amount_fen} fen, the item has {amount}")
        if credits > 1:
            self._find(f"{at}: credited {credits} times")
        if attempt.ever_returned:
            self._add("returned", amount)
        expected = {PAID: (1, 0), FAILED: (0, 0), RETURNED: (1, 1)}.get(attempt.outcome)
        if expected is None:
            # Not known to us: the bank may have credited it or not.
            if credits:
                self._add("unknown_credited", amount)
            if returns:
                self._find(f"{at}: the bank took back what we do not know to be paid")
        elif (credits, returns) != expected:
            # Money that came back today is known tomorrow.
            if attempt.outcome != PAID or (credits, returns) != (1, 1):
                self._find(f"{at}: outcome {attempt.outcome}, but the bank has {credits} credits and {returns} returns")
            else:
                self._find(f"{at}: came back at the bank, and nobody here knows")

    # --- What must hold over all -----------------------------------------------------------------------------------------

    def _check_both_ways(self, gateway, credited: dict) -> None:
        with gateway.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM instruction")
            instructions = cursor.fetchone()[0]
        for what, all_of_them, seen in (("instructions", instructions, self.seen_instructions),
                                        ("credits of the bank", credited["credits"], self.seen_credits)):
            if all_of_them != seen:
                self._find(f"{all_of_them - seen} {what} are of no batch")
        for item, times in self.books.paid_twice():
            self._find(f"item {item}: {times} credits stand at the bank")

    def _check_ledger(self, dispatch) -> dict:
        balanced = True
        lines = 0
        for district, line, available in self._stream(
                dispatch, "SELECT district, line_id, available_fen FROM budget_line ORDER BY district, line_id"):
            lines += 1
            sums = dict.fromkeys(range(APPROPRIATION, SETTLED + 1), 0)
            with dispatch.cursor() as cursor:
                cursor.execute("SELECT debit, credit, sum(amount_fen) FROM ledger "
                               "WHERE district = %s AND line_id = %s GROUP BY debit, credit", (district, line))
                for debit, credit, amount in cursor.fetchall():
                    sums[debit] += int(amount)
                    sums[credit] -= int(amount)
            expected = self.expected_line.get((district, line), {})
            for account, name in ((RESERVED, "reserved"), (IN_TRANSIT, "in transit"), (PAID_OUT, "paid")):
                if sums[account] != expected.get(account, 0):
                    balanced = False
                    self._find(f"line {district}/{line}: {name} {sums[account]} fen in the ledger, "
                               f"{expected.get(account, 0)} in the items behind it")
            if sums[AVAILABLE] != available or available < 0:
                balanced = False
                self._find(f"line {district}/{line}: {available} fen available, {sums[AVAILABLE]} in the ledger")
            given = -sums[APPROPRIATION] - sums[TRANSFER] - sums[CARRY_OVER]
            if given != sum(sums[account] for account in (AVAILABLE, RESERVED, IN_TRANSIT, PAID_OUT, TREASURY, LAPSED, SETTLED)):
                balanced = False
                self._find(f"line {district}/{line}: the accounts do not add up to what it was given")
        return {"balanced": balanced, "lines": lines}

    def _check_statements(self, gateway) -> None:
        """The gateway's differences are differences here too."""
        with gateway.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM difference")
            found = cursor.fetchone()[0]
            # A statement that is late is told apart from a difference: the clock of a demonstration jumps.
            cursor.execute("SELECT count(*) FROM reconciliation_case WHERE state <> 5 AND kind <> 'STATEMENT_MISSING'")
            open_cases = cursor.fetchone()[0]
        if found:
            self._find(f"{found} differences between the gateway's books and the bank's statements")
        if open_cases:
            self._find(f"{open_cases} cases of the gateway are open")

    def _check_equalities(self, credited: dict) -> None:
        for name, of in (("rows", self.count), ("fen", self.fen)):
            ended = sum(of[key] for key in ("held", "stopped", "unroutable", "paid", "failed", "unknown", "returned_open"))
            if of["accepted"] != ended:
                self._find(f"{name}: accepted {of['accepted']} is not the sum of what became of it, {ended}")
            if of["declared"] != of["accepted"] + of["rejected"]:
                self._find(f"{name}: declared {of['declared']} is not accepted {of['accepted']} and rejected "
                           f"{of['rejected']}")
        for name, of, bank in (("rows", self.count, credited["credits"]), ("fen", self.fen, credited["fen"])):
            ours = of["paid"] + of["returned"] + of["unknown_credited"]
            if bank != ours:
                self._find(f"{name}: the bank's credits {bank} are not paid, returned and unknown_credited, {ours}")


def plan_for_whole_tables(connection) -> None:
    """Here every row of every table is read once. A plan that looks one up for each row of another would begin sooner and
    end much later, and the planner takes an array of two thousand for one of ten."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_nestloop = off; SET cursor_tuple_fraction = 1; SET work_mem = '64MB'")


def round_free_fen(text: str) -> int:
    """Yuan with two decimals as fen, without a float."""
    sign = -1 if text.startswith("-") else 1
    whole, _, cents = text.lstrip("-").partition(".")
    return sign * (int(whole) * 100 + int(cents.ljust(2, "0")))
