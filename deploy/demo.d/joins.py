"""What must agree between the rows of every store, joined both ways: the input, the five databases and the bank's journal.

The reckoning counts what became of each payment; here each row of each table that a payment leaves behind is held against the
rows beside it, so that one row that is missing, doubled or altered is found, and the finding names the place. Joins within
one database are statements that give what does not fit; joins between two are made here, over sorted lists. Nothing is shared
with the services.
"""
import collections
import pathlib

import rare_joins
import reference_joins
from by_reference import MOST_PLACES, References, grouped
from log_joins import Log
from row_joins import DISPATCH, GATEWAY
from tree import Tree, sha256

PRODUCERS = ("catalogue", "registry", "dispatch", "bankgateway")


class Joins:
    """`connect` gives a connection to a database by its name; `find` takes one finding; `books` is the bank's journal."""

    def __init__(self, connect, find, books, folder: pathlib.Path, plan: dict, batches: dict, rules: dict):
        self.connect, self.find, self.books = connect, find, books
        self.folder, self.plan, self.batches, self.rules = folder, plan, batches, rules
        self.opened = {}
        self.cursors = 0

    def run(self) -> None:
        try:
            for _, step in self.steps():
                step()
        finally:
            for connection in self.opened.values():
                connection.close()
            self.opened = {}

    def steps(self) -> list:
        """What is done, in this order: (the databases that it reads, the step). The log is read after all others, so that
        what had not left them for it then is in it, or was never written."""
        own = {"catalogue": reference_joins.CATALOGUE, "registry": reference_joins.REGISTRY,
               "dispatch": DISPATCH | rare_joins.DISPATCH, "bankgateway": GATEWAY | rare_joins.GATEWAY,
               "auditlog": rare_joins.AUDITLOG}
        within = [((name,), lambda name=name, statements=statements: self._none(name, rare_joins.EVERY | statements))
                  for name, statements in own.items()]
        reference = reference_joins.Reference(self.rows, self.stream, self.find, self.differ, self.folder, self.plan, self.rules)
        return [*within, (("catalogue", "bankgateway"), reference.catalogue), (("registry",), reference.registry),
                (("registry", "dispatch"), reference.people_of_items), (("dispatch",), self._batches),
                (("dispatch",), self._notices), (("dispatch", "bankgateway"), self._submissions),
                (("dispatch", "bankgateway"), self._chunks_of_outcomes), (("bankgateway",), self._bank),
                (("dispatch", "bankgateway"), self._references), (("auditlog", *PRODUCERS), self._log)]

    # --- Reading --------------------------------------------------------------------------------------------------------

    def _database(self, name: str):
        if name not in self.opened:
            self.opened[name] = self.connect(name)
        return self.opened[name]

    def rows(self, database: str, sql: str, arguments=()) -> list:
        with self._database(database).cursor() as cursor:
            cursor.execute(sql, arguments or None)  # without arguments a percent sign is one
            return cursor.fetchall()

    def stream(self, database: str, sql: str):
        """Rows of a statement, a few thousand in memory at a time."""
        self.cursors += 1
        with self._database(database).cursor(name=f"join_{self.cursors}") as cursor:
            cursor.itersize = 20_000
            cursor.execute(sql)
            yield from cursor

    def _none(self, database: str, statements: dict) -> None:
        for what, sql in statements.items():
            for (place,) in self.rows(database, f"{sql} LIMIT {MOST_PLACES}"):
                self.find(f"{database}.{what}: {place}")

    def differ(self, what: str, ours: dict, theirs: dict) -> None:
        """Both ways: what one has and the other has not, or has otherwise. For lists that do not grow with the payments."""
        wrong = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        for key in sorted(wrong, key=str)[:MOST_PLACES]:
            self.find(f"{what}: {key}: {ours.get(key, 'nothing')} and {theirs.get(key, 'nothing')}")

    # --- dispatch against the plan --------------------------------------------------------------------------------------

    def _batches(self) -> None:
        planned = {self.batches[one["key"]]: (one["district"], one["department_id"], one["field"], one["policy_id"],
                                              one["period"], one["declared_count"], one["declared_fen"])
                   for one in self.plan["batches"] if one["key"] in self.batches and not one["cancelled"]}
        taken = {}
        for batch, number, step, approved in self.rows(
                "dispatch", "SELECT batch_id, step_no, step, approved FROM review ORDER BY batch_id, step_no"):
            taken.setdefault(batch, []).append((number, step, approved))
        stored = {}
        for row in self.rows("dispatch", "SELECT batch_id, district, department_id, field, policy_id, period, declared_count, "
                             "declared_fen, state, policy_version FROM batch WHERE state <> 11"):
            batch, policy, state, number = row[0], row[4], row[8], row[9]
            stored[batch] = row[1:8]
            if state not in (7, 8, 9):
                self.find(f"dispatch.batch, not paid although the plan pays it: {batch}")
                continue
            versions = self.rules[policy]["versions"] if policy in self.rules else []
            steps = [(place, one["step"], True) for place, one in enumerate(versions[number - 1]["review_steps"], start=1)] \
                if 1 <= number <= len(versions) else None
            if taken.get(batch, []) != steps:
                self.find(f"dispatch.review, not the steps of version {number}: batch {batch}: {taken.get(batch)}")
        self.differ("dispatch.batch, not what the plan says", stored, planned)

    def _notices(self) -> None:
        """Each frozen list is what the items are: its root is made again from them."""
        trees = {}

        def add(batch, name, village, fen, people, item):
            tree = trees.setdefault(batch, Tree())
            tree.add(sha256(b"\x00", (f"yikatong-notice/v1\nline: {tree.size + 1}\nname: {name}\nvillage: {village}\n"
                                      f"amount_fen: {fen}\npeople: {people}\nitem: {item}\n").encode()))

        for batch, item, name, village, fen in self.stream(
                "dispatch", "SELECT batch_id, item_id, masked_name, village, amount_fen FROM item JOIN notice n "
                "USING (batch_id) WHERE NOT n.aggregate_only ORDER BY batch_id, item_id"):
            add(batch, name, village, fen, 1, item)
        for batch, village, people, fen in self.stream(
                "dispatch", "SELECT batch_id, village, count(*), sum(amount_fen)::bigint FROM item JOIN notice n "
                "USING (batch_id) WHERE n.aggregate_only GROUP BY 1, 2 ORDER BY 1, 2"):
            add(batch, "", village, *((fen, people) if people >= 5 else (0, 0)), 0)
        counted = collections.Counter()
        for batch, root, lines in self.rows("dispatch", "SELECT batch_id, root, lines FROM notice"):
            counted[batch] += 1
            tree = trees.get(batch, Tree())
            if (bytes(root), lines) != (tree.root(), tree.size):
                self.find(f"dispatch.notice, not the list that its items make: batch {batch}")
        cancelled = {self.batches.get(one["key"]) for one in self.plan["batches"] if one["cancelled"]}
        for batch in self.batches.values():
            if counted[batch] != 1 and not (batch in cancelled and counted[batch] == 0):
                self.find(f"dispatch.notice, {counted[batch]} of one batch: {batch}")

    # --- dispatch against the gateway -----------------------------------------------------------------------------------

    def _submissions(self) -> None:
        ours = {row[0]: row[1:] for row in self.rows(
            "dispatch", "SELECT request_id, district, agreement_no, rows, amount_fen FROM submission WHERE refused = ''")}
        theirs = {row[0]: row[1:] for row in self.rows(
            "bankgateway", "SELECT request_id, district, agreement_no, row_count, total_fen FROM submission")}
        self.differ("dispatch.submission and bankgateway.submission differ at", ours, theirs)

    def _chunks_of_outcomes(self) -> None:
        """Chunk by chunk in the order of their numbers; within one the order of the rows is dispatch's own."""
        lists = [((number, (district, sorted(references))) for number, district, references in self.stream(database, sql))
                 for database, sql in (
                     ("dispatch", "SELECT number, district, item_references FROM applied_chunk ORDER BY number"),
                     ("bankgateway", "SELECT number, district, item_references FROM outcome_chunk WHERE number IS NOT NULL "
                                     "ORDER BY number"))]
        wrong = 0
        for number, (ours, theirs) in grouped(*lists):
            if ours != theirs and wrong < MOST_PLACES:
                wrong += 1
                self.find(f"dispatch.applied_chunk and bankgateway.outcome_chunk differ at {number}")

    # --- the gateway against the bank -----------------------------------------------------------------------------------

    def _bank(self) -> None:
        ours = {row[0]: (*row[1:5], bytes(row[5]).hex(), row[6]) for row in self.rows(
            "bankgateway", "SELECT file_id, agreement_no, bank_code, row_count, total_fen, sha256, state = 5 FROM file "
            "WHERE state >= 3")}
        theirs = {name: (*one[:5], bool(one.reason)) for name, one in self.books.files.items()}
        # Files that the gateway was put back behind: what it found of them at the bank is all that was in them.
        for name, agreement, bank, rows, fen in self.rows("bankgateway", """
                SELECT f.file_id, s.agreement_no, f.bank_code, count(*), sum(i.amount_fen)::bigint
                FROM (SELECT DISTINCT district, reference, bank_code, file_id FROM found_reference) f
                JOIN instruction i USING (district, reference) JOIN submission s USING (submission_id) GROUP BY 1, 2, 3"""):
            if name in ours:
                self.find(f"bankgateway.found_reference, of a file that the gateway has: {name}")
            ours[name] = (agreement, bank, rows, fen, self.books.files[name].sha256 if name in self.books.files else "", False)
        # Of those that the bank refused whole nothing was done and nothing is to be found.
        (begun,) = self.rows("bankgateway", "SELECT coalesce(max(epoch), 0) FROM restored")[0]
        theirs = {name: one for name, one in theirs.items()
                  if name in ours or not one[-1] or not begun or int(name.split("-")[2]) >= begun}
        # What was refused before the bank knew whose it is stands in no journal.
        ours = {name: one for name, one in ours.items() if name in theirs or not one[-1]}
        self.differ("bankgateway.file and the bank's journal differ at", ours, theirs)
        cursors = dict(self.rows("bankgateway", "SELECT bank_code, result_cursor FROM bank WHERE address <> ''"))
        self.differ("bankgateway.bank, not all results were read of", cursors,
                    {code: self.books.results.get(code, 0) for code in cursors})

    def _references(self) -> None:
        complete = set(self.rows("bankgateway", "SELECT agreement_no, day::text FROM statement WHERE complete"))
        References(self.stream, self.find, self.books, complete).join()
        for place in self.books.faults[:MOST_PLACES]:
            self.find(f"the bank's journal: {place}")

    def _log(self) -> None:
        Log(self.rows, self.stream, self.find, self.differ, PRODUCERS).join()
