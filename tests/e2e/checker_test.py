"""The checker is checked: drop, double and alter one row in each store that it joins, and each time it must say where.

One demonstration is run and its services are ended. Each mutation is made inside a transaction, without the constraints that
would refuse it; the checker reads inside the same transaction, and it is rolled back. Files are changed in copies.
"""
import argparse
import binascii
import csv
import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

import psycopg2

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d")]
import joins  # noqa: E402
from journal import JournalError  # noqa: E402
from reckoning import Reckoning  # noqa: E402
from rosters import TODAY  # noqa: E402
from run import DATA, Demo  # noqa: E402
from stack import SERVICES, Stack  # noqa: E402

PAYMENTS = 1_000

# For each table: which row, and the columns that mean something, each with what it is changed to. What has no meaning for a
# payment is not here: instants, holders of leases, texts for people.
PLUS = "{} + 1"
OTHER_TEXT = "{} || 'x'"
TABLES = {
    "dispatch": {
        "batch": ("state = 8", {"declared_count": PLUS, "declared_fen": PLUS, "district": PLUS, "department_id": OTHER_TEXT,
                                "field": "'NONE'", "policy_id": "'P999'", "period": "'1999-01'", "state": "5::smallint",
                                "policy_version": PLUS, "first_item": PLUS, "created_by": "released_by",
                                "salt_key": "sha256({})"}),
        "upload_chunk": ("accepted > 0 AND cardinality(claim_keys) > 0", {
            "rows": PLUS, "rows_fen": PLUS, "accepted": PLUS, "accepted_fen": PLUS, "first_row": PLUS, "last_row": PLUS,
            "first_item": PLUS, "last_item": "{} - 1", "claim_keys": "{}[2:]"}),
        "item": ("true", {"amount_fen": PLUS, "person_id": PLUS, "payee_id": PLUS, "village": PLUS, "masked_name": OTHER_TEXT,
                          "chunk": PLUS, "batch_id": PLUS, "item_id": "{} + 900000", "district": PLUS}),
        "rejection": ("amount_fen > 0", {"amount_fen": PLUS, "reason": OTHER_TEXT, "row_number": PLUS, "chunk": PLUS,
                                         "batch_id": PLUS}),
        "claim": ("owner > 0", {"owner": "1::bigint", "holders": PLUS, "claim_key": "gen_random_uuid()"}),
        "claim edge": ("owner < 0", {"holders": PLUS, "claim_key": "gen_random_uuid()"}),
        "movement": ("to_bucket = 6", {"items": PLUS, "amount_fen": PLUS, "to_bucket": "7::smallint",
                                       "from_bucket": "1::smallint",
                                       "batch_id": PLUS, "reason": OTHER_TEXT}),
        "chunk": ("NOT repair", {"first_item": PLUS, "last_item": "{} - 1", "stage": "2::smallint", "batch_id": PLUS,
                                 "chunk": "{} + 50", "repair": "true"}),
        "chunk of a repair": ("repair AND EXISTS (SELECT FROM attempt a WHERE a.batch_id = chunk.batch_id "
                              "AND a.chunk = chunk.chunk)", {"item_ids": "ARRAY[1, 2]::bigint[]", "stage": "9::smallint",
                                                             "chunk": "{} + 50"}),
        "exception": ("bucket = 4 AND NOT resolved", {"bucket": "3::smallint", "reason": OTHER_TEXT, "resolved": "true",
                                                      "batch_id": PLUS, "item_id": PLUS}),
        "exception that is resolved": ("bucket = 4 AND resolved", {"reason": OTHER_TEXT, "resolved": "false"}),
        "attempt": ("reference % 100 = 1", {"amount_fen": PLUS, "bank_code": PLUS, "account_version": PLUS,
                                            "social_card": "NOT {}", "chunk": PLUS, "submission_no": PLUS, "batch_id": PLUS,
                                            "reference": "{} + 1"}),
        "submission": ("refused = ''", {"rows": PLUS, "amount_fen": PLUS, "agreement_no": OTHER_TEXT, "request_id": OTHER_TEXT,
                                        "acknowledged": "false", "chunk": PLUS, "refused": "'X'"}),
        "outcome": ("state = 1", {"state": "2::smallint", "amount_fen": PLUS, "reason": OTHER_TEXT, "booked_on": PLUS,
                                  "outcome_no": PLUS, "applied_in": PLUS, "reference": PLUS}),
        "applied_chunk": ("cardinality(item_references) > 1", {
            "number": "{} + 100000", "district": PLUS, "item_references": "{}[2:]", "states": "array_fill(2::smallint, "
                                                                                              "ARRAY[cardinality({})])"}),
        "outcome_cursor": ("true", {"applied": "{} - 1"}),
        "reservation": ("amount_fen > 0", {"amount_fen": PLUS, "line_id": PLUS, "batch_id": PLUS}),
        "budget_line": ("EXISTS (SELECT FROM reservation r WHERE r.district = budget_line.district "
                        "AND r.line_id = budget_line.line_id)", {"available_fen": PLUS, "policy_id": "'P999'", "year": PLUS,
                                                                 "source": "'fund2'", "line_id": "{} + 1000"}),
        **{f"ledger {step}": (f"step = '{step}'", {"amount_fen": PLUS, "debit": "6::smallint", "line_id": PLUS})
           for step in ("appropriate", "reserve", "submit", "paid", "failed", "returned", "release")},
        **{f"ledger {step} of a chunk": (f"step = '{step}'", {"chunk": PLUS, "batch_id": PLUS, "step": "'other'",
                                                              "credit": "6::smallint"})
           for step in ("submit", "paid", "failed", "returned")},
        "notice": ("NOT aggregate_only", {"root": "sha256({})", "lines": PLUS, "batch_id": PLUS}),
        "objection": ("state = 1", {"state": "2::smallint", "item_id": PLUS}),
        "review": ("step_no = 1", {"step": OTHER_TEXT, "approved": "false", "step_no": "{} + 5",
                                   "person": "(SELECT created_by FROM batch b WHERE b.batch_id = review.batch_id)"}),
        "attachment": ("kind = 'notice_photo'", {"kind": "'other'"}),
    },
    "bankgateway": {
        "submission": ("file_id IS NOT NULL", {"row_count": PLUS, "total_fen": PLUS, "agreement_no": OTHER_TEXT,
                                               "request_id": OTHER_TEXT, "item_references": "{}[2:]", "file_id": "'none'",
                                               "district": PLUS, "bank_code": "'999110000031'"}),
        "instruction": ("true", {"amount_fen": PLUS, "person_id": PLUS, "account_version": PLUS, "payee_bank": "'999110000031'",
                                 "last_four": "({} + 1) % 10000", "submission_id": PLUS, "reference": PLUS, "district": PLUS}),
        "file": ("state = 4", {"row_count": PLUS, "total_fen": PLUS, "sha256": "sha256({})", "state": "5::smallint",
                               "agreement_no": OTHER_TEXT, "bank_code": "'999110000031'", "part_count": PLUS,
                               "final_rows": "{} - 1", "file_id": OTHER_TEXT, "district": PLUS}),
        "file_part": ("true", {"part": "{} + 5", "file_id": OTHER_TEXT}),
        "outcome": ("state = 1", {"state": "2::smallint", "amount_fen": PLUS, "reason": "'X'", "booked_on": PLUS,
                                  "outcome_no": PLUS, "reference": PLUS}),
        "outcome_chunk": ("cardinality(item_references) > 1", {
            "number": "{} + 100000", "district": PLUS, "item_references": "{}[2:]", "outcome_nos": "array_fill(7::smallint, "
            "ARRAY[cardinality({})])", "paid": PLUS, "failed": PLUS, "unknown": PLUS, "returned": PLUS}),
        "outcome_head": ("true", {"number": PLUS}),
        "notification_batch": ("true", {"item_references": "{}[2:]",
                                        "amounts_fen": "array_fill(1::bigint, ARRAY[cardinality({})])",
                                        "last_fours": "array_fill(10000::smallint, ARRAY[cardinality({})])"}),
        "statement": ("lines > 0", {"lines": PLUS, "agreed": PLUS, "differences": PLUS, "debit_fen": PLUS, "credit_fen": PLUS,
                                    "complete": "false", "agreement_no": OTHER_TEXT, "day": "{} - 300"}),
        "statement_line": ("debit", {"amount_fen": PLUS, "debit": "NOT {}", "reference": PLUS, "statement_id": PLUS}),
        "book_day": ("matched > 0", {"reported": PLUS, "matched": PLUS, "debit": "NOT {}", "day": "{} - 300",
                                     "agreement_no": OTHER_TEXT}),
        "bank": ("address <> ''", {"result_cursor": "{} - 1"}),
        "agreement": ("true", {"credits_other_banks": "NOT {}", "bank_code": "'999110000031'", "district": PLUS}),
    },
    "auditlog": {
        "entry": ("kind = 'chunk.submitted'", {"body": "{} || 'x'", "leaf_hash": "sha256({})", "subtree_root": "sha256({})",
                                               "kind": OTHER_TEXT, "subject": OTHER_TEXT, "district": PLUS,
                                               "number": "{} + 100000", "index": "{} + 100000", "producer": OTHER_TEXT}),
        "entry of an appropriation": ("kind = 'budget.appropriated'", {"body": "{} || 'x'"}),
        "tree_head": ("true", {"root": "sha256({})", "size": "{} + 100000"}),
        "tree_node": ("true", {"hash": "sha256({})", "index": "{} + 100000"}),
    },
}
# One row is all that there ever is, and its number is read as the highest.
NOT_DOUBLED = {("dispatch", "outcome_cursor"), ("bankgateway", "outcome_head")}
DIFFERENCES = "INSERT INTO difference (agreement_no, district, day, line, reference, kind, statement_fen, book_fen) " \
              "SELECT agreement_no, district, current_date, 1, 1, 'SECOND_DEBIT', 1, 1 FROM agreement LIMIT 1"
JOURNAL_ROWS = {"C": (4, 5, 6, 2, 3), "X": (4, 5, 7, 3), "R": (4, 5, 2), "F": (2, 5, 6, 7, 8), "P": (3, 4), "N": (4,)}


class Held:
    """A connection that others may close: it stays, with the mutation that it made and nobody else sees."""

    def __init__(self, connection):
        self.connection = connection

    def cursor(self, *arguments, **named):
        return self.connection.cursor(*arguments, **named)

    def close(self) -> None:
        pass


class Found(Exception):
    """The first finding; nothing more is looked for."""


def stop(finding: str) -> None:
    raise Found(finding)


class Copied(Reckoning):
    """The checker over held connections; `find` takes its findings where one is enough."""

    def __init__(self, held: dict, journal_path: pathlib.Path, folder: pathlib.Path, find=None):
        super().__init__("", journal_path, folder, DATA / "policies.rules.json", every_table=True)
        self.held = held
        if find is not None:
            self._find = find

    def _connect(self, database: str):
        return self.held[database]


class Quick(joins.Joins):
    """The joins of the checker that end with the first finding, those of the changed table first."""

    def __init__(self, held: dict, database: str, table: str, reckoning: Reckoning, batches: dict):
        super().__init__(held.__getitem__, stop, reckoning.journal_path, reckoning.plan, batches, reckoning.rules)
        self.database, self.table = database, table

    def steps(self) -> list:
        return sorted(super().steps(), key=lambda step: step[0] != self.database)

    def _none(self, database: str, statements: dict) -> None:
        own = {what: sql for what, sql in statements.items() if what.startswith(f"{self.table},")}
        super()._none(database, own)
        super()._none(database, {what: sql for what, sql in statements.items() if what not in own})


class Checker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-checker-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.stack = Stack(cls.folder / "state", BUILD / "bin", TODAY.isoformat())
        cls.addClassCleanup(cls.stack.forget)
        cls.addClassCleanup(cls.stack.down)
        cls.demo = Demo(argparse.Namespace(payments=PAYMENTS, seed=11), cls.stack)
        cls.report = cls.demo.run()
        pids = cls.stack._read("pids.json", {})
        for service in reversed(SERVICES):
            cls.stack._end(pids[service], service)
        cls.journal = cls.stack.state / "bank-journal"
        cls.held = {}
        for database in ("dispatch", "bankgateway", "auditlog"):
            connection = cls.open(database)
            cls.addClassCleanup(connection.close)
            cls.held[database] = Held(connection)
        cls.constraints = {name: cls.drops(name) for name in cls.held}
        cls.mutations = 0
        cls.missed = []

    @classmethod
    def open(cls, database: str):
        connection = psycopg2.connect(host=str(cls.stack.run), dbname=database, user="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            # A join of many tables is planned badly as long as nothing is known of them.
            cursor.execute("ANALYZE")
        connection.autocommit = False
        return connection

    @classmethod
    def drops(cls, database: str) -> dict:
        """table -> statements that take away what would refuse a mutation of it: keys, checks, references."""
        found = {}
        with cls.held[database].cursor() as cursor:
            cursor.execute("SELECT r.relname, format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I CASCADE', r.relname, c.conname) "
                           "FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid "
                           "JOIN pg_namespace n ON n.oid = r.relnamespace "
                           "WHERE n.nspname = 'public' AND NOT r.relispartition AND c.conislocal "
                           "ORDER BY c.contype = 'p', c.conname")
            rows = cursor.fetchall()
            cursor.execute("SELECT t.relname, format('DROP INDEX IF EXISTS %I', c.relname) "
                           "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid "
                           "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND i.indisunique "
                           "AND NOT c.relispartition "
                           "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)")
            for table, statement in rows + cursor.fetchall():
                found.setdefault(table, []).append(statement)
        return found

    def reckon(self, journal=None, folder=None) -> list:
        return Copied(self.held, journal or self.journal, folder or self.demo.input).run(self.demo.batches)["differences"]

    def first_finding(self, database="", table="", journal=None, folder=None) -> str:
        """What the checker finds first: of its joins where a table is changed, else of the whole; empty for nothing."""
        whole = Copied(self.held, journal or self.journal, folder or self.demo.input, stop)
        try:
            if database:
                Quick(self.held, database, table, whole, self.demo.batches).run()
            whole.run(self.demo.batches)
        except Found as found:
            return str(found)
        return ""

    def mutate(self, database: str, table: str, what: str, statement: str) -> None:
        """Makes one mutation and rolls it back; the checker must find it, and name the place by a number."""
        type(self).mutations += 1
        with self.held[database].cursor() as cursor:
            cursor.execute("SAVEPOINT whole")
        try:
            with self.held[database].cursor() as cursor:
                cursor.execute(statement)
                changed = cursor.rowcount
            finding = self.first_finding(database, table) if changed else "there was no such row"
            if not any(character.isdigit() for character in finding):
                self.missed.append(f"{what}: {finding or 'nothing was found'}")
        except (psycopg2.Error, LookupError, ValueError, TypeError) as error:
            self.missed.append(f"{what}: {error!r}")
        with self.held[database].cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT whole")

    def test_the_checker_finds_nothing_where_nothing_is_wrong(self):
        self.assertEqual([], self.report["differences"])
        self.assertEqual([], self.reckon())

    def test_one_row_of_each_table_dropped_doubled_and_altered(self):
        started = time.monotonic()
        for database, tables in TABLES.items():
            for name, (where, columns) in tables.items():
                table = name.split()[0]
                self.held[database].connection.rollback()
                with self.held[database].cursor() as cursor:
                    for statement in self.constraints[database].get(table, []):
                        cursor.execute(statement)
                row = f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {table} WHERE {where} ORDER BY ctid LIMIT 1)"
                self.mutate(database, table, f"{database}.{name}: a row dropped", f"DELETE FROM {table} WHERE {row}")
                if (database, table) not in NOT_DOUBLED:
                    self.mutate(database, table, f"{database}.{name}: a row doubled",
                                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} WHERE {row}")
                for column, value in columns.items():
                    self.mutate(database, table, f"{database}.{name}.{column}: altered",
                                f"UPDATE {table} SET {column} = {value.format(column)} WHERE {row}")
            self.held[database].connection.rollback()
        self.mutate("bankgateway", "difference", "bankgateway.difference: a row added", DIFFERENCES)
        self.held["bankgateway"].connection.rollback()
        print(f"{self.mutations} mutations in {time.monotonic() - started:.1f} s", file=sys.stderr)
        self.assertEqual([], self.missed)
        self.assertEqual([], self.reckon())

    # --- The bank's journal -------------------------------------------------------------------------------------------

    def journal_with(self, change) -> pathlib.Path:
        """A copy of the journal in which `change` has changed the groups; checksums and counts fit again."""
        groups, group = [], []
        head, *lines = self.journal.read_bytes().split(b"\n")[:-1]
        for line in lines:
            fields = line[:-8].decode().split("|")[:-1]
            if fields[0] == "E":
                groups.append(group)
                group = []
            else:
                group.append(fields)
        change(groups)
        path = self.folder / "changed-journal"
        with path.open("wb") as out:
            out.write(head + b"\n")
            for group in groups:
                for fields in [*group, ["E", str(len(group))]]:
                    body = ("|".join(fields) + "|").encode()
                    out.write(body + f"{binascii.crc32(body):08x}".encode() + b"\n")
        return path

    def test_one_line_of_the_banks_journal_dropped_doubled_and_altered(self):
        def place(groups, kind):
            return next((group, number) for group in groups for number, fields in enumerate(group)
                        if fields[0] == kind and (kind != "F" or len(group) > 3))

        def dropped(kind):
            def change(groups):
                group, number = place(groups, kind)
                del group[number]
            return change

        def doubled(kind):
            def change(groups):
                group, number = place(groups, kind)
                group.insert(number, list(group[number]))
            return change

        def altered(kind, field):
            def change(groups):
                group, number = place(groups, kind)
                old = group[number][field]
                # The day before, or another digit at the end.
                group[number][field] = "2026-03-01" if old.count("-") == 2 and len(old) == 10 else \
                    old[:-1] + ("1" if old[-1] != "1" else "2")
            return change

        missed = []
        self.assertEqual([], self.reckon(self.journal_with(lambda groups: None)))
        for kind, fields in JOURNAL_ROWS.items():
            changes = [("dropped", dropped(kind)), ("doubled", doubled(kind))]
            changes += [(f"altered in field {field}", altered(kind, field)) for field in fields]
            for what, change in changes:
                type(self).mutations += 1
                try:
                    if not self.first_finding("bankgateway", "file", self.journal_with(change)):
                        missed.append(f"line {kind} {what}")
                except (KeyError, ValueError) as error:
                    missed.append(f"line {kind} {what}: the checker fell over {error!r}")
        self.assertEqual([], missed)

    def test_a_journal_that_is_damaged_or_cut_in_the_middle_is_no_journal(self):
        whole = self.journal.read_bytes()
        path = self.folder / "damaged-journal"
        middle = whole.index(b"\nC|", len(whole) // 3) + 1
        for what, damaged in (("a byte", whole[:middle + 4] + b"#" + whole[middle + 5:]),
                              ("a line", whole[:middle] + whole[whole.index(b"\n", middle) + 1:])):
            with self.subTest(what):
                path.write_bytes(damaged)
                with self.assertRaises(JournalError):
                    self.reckon(path)

    # --- The input ----------------------------------------------------------------------------------------------------

    def input_with(self, change) -> pathlib.Path:
        folder = self.folder / "changed-input"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.demo.input, folder)
        change(folder)
        return folder

    def test_one_row_of_a_roster_dropped_doubled_and_altered(self):
        name = self.demo.plan["batches"][0]["file"]

        def rows(change):
            def on(folder):
                path = folder / name
                with path.open(encoding="utf-8", newline="") as source:
                    found = list(csv.DictReader(source))
                change(found)
                with path.open("w", encoding="utf-8", newline="") as out:
                    writer = csv.DictWriter(out, list(found[0]))
                    writer.writeheader()
                    writer.writerows(found)
            return on

        def altered(found):
            found[3]["amount"] = "0.01"

        def swapped(found):
            one, other = next((a, b) for a in found for b in found if a["amount"] != b["amount"])
            one["amount"], other["amount"] = other["amount"], one["amount"]

        for what, change in (("dropped", lambda found: found.pop(5)), ("doubled", lambda found: found.insert(5, dict(found[5]))),
                             ("altered", altered), ("two amounts exchanged", swapped)):
            with self.subTest(what):
                self.assertNotEqual("", self.first_finding(folder=self.input_with(rows(change))))

    def test_one_batch_or_agreement_of_the_plan_dropped_doubled_and_altered(self):
        def plan(change):
            def on(folder):
                path = folder / "plan.json"
                found = json.loads(path.read_text(encoding="utf-8"))
                change(found)
                path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
            return on

        changes = {f"a row of the {part} {what}": lambda found, part=part, change=change: change(found[part])
                   for part in ("batches", "agreements")
                   for what, change in (("dropped", lambda rows: rows.pop()), ("doubled", lambda rows: rows.append(rows[0])))}
        for key, value in (("period", "1999-01"), ("policy_id", "P999"), ("district", 120101), ("declared_fen", 1),
                           ("declared_count", 1), ("department_id", "x"), ("expected_accepted", 1)):
            changes[f"a batch's {key}"] = lambda found, key=key, value=value: found["batches"][0].update({key: value})
        for what, change in changes.items():
            with self.subTest(what):
                self.assertNotEqual("", self.first_finding(folder=self.input_with(plan(change))))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
