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
from checker_tables import ADDED, JOURNAL_ROWS, NOT_DOUBLED, PREPARED, TABLES, UNCHECKED  # noqa: E402
from journal import Books, JournalError  # noqa: E402
from reckoning import Reckoning, plan_for_whole_tables  # noqa: E402
from rosters import TODAY  # noqa: E402
from run import DATA, Ctl, Demo  # noqa: E402
from stack import SERVICES, WITH_DATABASE, Stack  # noqa: E402

PAYMENTS = 1_000

class Held:
    """A connection that others may close: it stays, with the mutation that it made and nobody else sees."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):  # a transaction of its own, as with a connection
        return self.connection.__enter__()

    def __exit__(self, *error):
        return self.connection.__exit__(*error)

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

    def __init__(self, held: dict, journal_path: pathlib.Path, folder: pathlib.Path, every_table: bool = True, find=None):
        super().__init__("", journal_path, folder, DATA / "policies.rules.json", every_table)
        self.held = held
        if find is not None:
            self._find = find

    def _connect(self, database: str):
        return self.held[database]

    def _workshop(self):
        return self.held["workshop"]


class Quick(joins.Joins):
    """The joins of the checker that end with the first finding, those of the changed table first."""

    def __init__(self, held: dict, database: str, table: str, books: Books, reckoning: Reckoning, batches: dict):
        super().__init__(held.__getitem__, stop, books, reckoning.folder, reckoning.plan, batches, reckoning.rules)
        self.database, self.table = database, table

    def steps(self) -> list:
        return sorted(super().steps(), key=lambda step: self.database not in step[0])

    def _none(self, database: str, statements: dict) -> None:
        own = {what: sql for what, sql in statements.items() if what.startswith(f"{self.table},")}
        super()._none(database, own)
        super()._none(database, {what: sql for what, sql in statements.items() if what not in own})


class Checker(unittest.TestCase):
    maxDiff = None

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
        cls.repair()
        pids = cls.stack._read("pids.json", {})
        for service in reversed(SERVICES):
            cls.stack._end(pids[service], service)
        cls.journal = cls.stack.state / "bank-journal"
        cls.held = {}
        # The journal as it is stays in one session; those that are changed go through another.
        for name, database in (*((one, one) for one in WITH_DATABASE), ("books", "postgres"), ("workshop", "postgres")):
            connection = cls.open(database)
            cls.addClassCleanup(connection.close)
            cls.held[name] = Held(connection)
        cls.books = Books(cls.journal, cls.held["books"])
        cls.constraints = {name: cls.drops(name) for name in WITH_DATABASE}
        cls.mutations = 0
        cls.missed = []

    @classmethod
    def open(cls, database: str):
        connection = psycopg2.connect(host=str(cls.stack.run), dbname=database, user="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        plan_for_whole_tables(connection)
        connection.autocommit = False
        return connection

    @classmethod
    def repair(cls) -> None:
        """What a demonstration leaves out, so that every table of money has a row: money from above, an order, recoveries."""
        ctl = Ctl(cls.stack)
        district, batch = 120105, cls.demo.batches["p001-105"]
        operator, finance = "operator-civil-120105-1", "finance-operator-120105-1"
        today = ctl("auditor-1", "clock", "show")["date"]
        lines = {(line["policy_id"], line["source"]): line["line_id"]
                 for line in ctl(finance, "budget", "list", "--district", district)["lines"]}
        line = lines[("P001", "city")]
        receipt = ctl("city-finance-1", "budget", "receive", "--district", 120000, "--from", "central", "--document", "财农〔2026〕1号",
                      "--policy", "P001", "--year", 2026, "--source", "city", "--amount", "900.00", "--received-on", today)
        ctl("city-finance-1", "budget", "pass-down", "--district", 120000, "--receipt", receipt["receipt_id"], "--to-district",
            district, "--line", line, "--amount", "300.00", "--document", "津财农〔2026〕2号")
        order = ctl(finance, "budget", "request", "--kind", "transfer", "--district", district, "--line", line, "--to-line",
                    lines[("P008", "city")], "--amount", "100.00", "--document", "津财〔2026〕3号", "--reason", "调剂")
        ctl("finance-reviewer-120105-1", "budget", "decide", "--district", district, "--order", order["order_id"], "--approve", "yes")
        paid = ctl(operator, "batch", "items", "--id", batch, "--state", "paid", "--page-size", "2")["items"]
        opened = ctl(operator, "repair", "open", "--id", batch, "--item", paid[0]["item_id"], "--cause", "WRONG_AMOUNT", "--due",
                     "40.00", "--reason", "重复计算")["recoveries"][0]["recovery_id"]
        ctl("reviewer-civil-120105-1", "repair", "approve", "--recovery", opened)
        ctl(operator, "repair", "notify", "--recovery", opened, "--notice", "退款通知")
        ctl(finance, "repair", "receive", "--recovery", opened, "--receipt", "T1", "--amount", "15.00", "--received-on", today)
        arrival = ctl(finance, "repair", "arrived", "--district", district, "--receipt", "T2", "--amount", "20.00", "--arrived-on",
                      today)["arrival_id"]
        ctl(operator, "repair", "confirm", "--arrival", arrival, "--id", batch, "--item", paid[1]["item_id"], "--reason", "自愿退回")
        ctl.close()

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
            rows += cursor.fetchall()
            cursor.execute("SELECT c.relname, format('ALTER TABLE %I ALTER %I DROP IDENTITY', c.relname, a.attname) "
                           "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attidentity <> ''")
            for table, statement in rows + cursor.fetchall():
                found.setdefault(table, []).append(statement)
        return found

    def reckon(self, journal=None, folder=None) -> list:
        return Copied(self.held, journal or self.journal, folder or self.demo.input).run(self.demo.batches)["differences"]

    def first_finding(self, database="", table="", journal=None, folder=None) -> str:
        """What the checker finds first: of its joins where a table is changed, then of its figures; empty for nothing."""
        whole = Copied(self.held, journal or self.journal, folder or self.demo.input, not database, stop)
        try:
            if database:
                books = Books(journal, self.held["workshop"]) if journal else self.books
                Quick(self.held, database, table, books, whole, self.demo.batches).run()
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

    def test_every_table_of_every_database_is_mutated_or_named_with_a_reason(self):
        for database in WITH_DATABASE:
            with self.held[database].cursor() as cursor:
                cursor.execute("SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                               "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
                               "AND c.relkind IN ('r', 'p') AND NOT c.relispartition")
                tables = {name for (name,) in cursor.fetchall()}
            mutated = {name.split()[0] for name in TABLES.get(database, {})} | {
                table for own, table in ADDED if own == database}
            self.assertEqual(set(), tables - mutated - set(UNCHECKED), database)
            self.assertEqual(set(), mutated - tables, database)

    def test_one_row_of_each_table_dropped_doubled_and_altered(self):
        started = time.monotonic()
        for database, tables in TABLES.items():
            for name, (where, columns) in tables.items():
                table = name.split()[0]
                self.held[database].connection.rollback()
                with self.held[database].cursor() as cursor:
                    cursor.execute(f"SELECT FROM {table} LIMIT 1")
                    prepared = PREPARED.get((database, table), []) if cursor.fetchone() is None else []
                    for statement in prepared + self.constraints[database].get(table, []):
                        cursor.execute(statement)
                if prepared:
                    self.assertEqual("", self.first_finding(database, table))
                row = f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {table} WHERE {where} ORDER BY ctid LIMIT 1)"
                self.mutate(database, table, f"{database}.{name}: a row dropped", f"DELETE FROM {table} WHERE {row}")
                if (database, table) not in NOT_DOUBLED:
                    self.mutate(database, table, f"{database}.{name}: a row doubled",
                                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} WHERE {row}")
                for column, value in columns.items():
                    self.mutate(database, table, f"{database}.{name}.{column}: altered",
                                f"UPDATE {table} SET {column} = {value.format(column)} WHERE {row}")
            self.held[database].connection.rollback()
        for (database, table), statement in ADDED.items():
            self.mutate(database, table, f"{database}.{table}: a row added", statement)
            self.held[database].connection.rollback()
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
