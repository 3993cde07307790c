"""What must agree between the rows of every store, joined both ways: dispatch, the gateway, the bank's journal and the log.

The reckoning counts what became of each payment; here each row of each table that a payment leaves behind is held against the
rows beside it, so that one row that is missing, doubled or altered is found, and the finding names the place. Joins within
one database are statements that give what does not fit; joins between two are made here. Nothing is shared with the services.
"""
import collections
import hashlib
import hmac
import pathlib

import journal
from row_joins import DISPATCH, GATEWAY

MOST_PLACES = 5
OUTCOMES = {1: "paid", 2: "failed", 3: "unknown", 4: "returned"}


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """An RFC 6962 tree that grows leaf by leaf; `nodes` are the complete ones above the leaves, by (level, index)."""

    def __init__(self):
        self.levels = []
        self.size = 0
        self.nodes = {}

    def add(self, leaf_hash: bytes) -> None:
        index, level = self.size, 0
        self.size += 1
        while index % 2:
            leaf_hash = sha256(b"\x01", self.levels[level], leaf_hash)
            index, level = index // 2, level + 1
            self.nodes[(level, index)] = leaf_hash
        if level == len(self.levels):
            self.levels.append(leaf_hash)
        self.levels[level] = leaf_hash

    def root(self) -> bytes:
        root, size = None, self.size
        for level in range(len(self.levels)):
            if size >> level & 1:
                root = self.levels[level] if root is None else sha256(b"\x01", self.levels[level], root)
        return root if root is not None else sha256()


class Joins:
    """`connect` gives a connection to a database by its name; `find` takes one finding."""

    def __init__(self, connect, find, journal_path: pathlib.Path, plan: dict, batches: dict, rules: dict):
        self.connect, self.find = connect, find
        self.journal_path = journal_path
        self.plan, self.batches, self.rules = plan, batches, rules

    def run(self) -> None:
        self.opened = {}
        try:
            for _, step in self.steps():
                step()
        finally:
            for connection in self.opened.values():
                connection.close()

    def steps(self) -> list:
        """What is done, in this order: (the database that it begins with, the step). The log is read after dispatch, so that
        what had not left dispatch for it then is in it, or was never written."""
        return [("dispatch", lambda: self._none("dispatch", DISPATCH)), ("dispatch", self._batches),
                ("dispatch", self._notices), ("bankgateway", lambda: self._none("bankgateway", GATEWAY)),
                ("bankgateway", self._attempts), ("bankgateway", self._outcomes), ("bankgateway", self._chunks_of_outcomes),
                ("bankgateway", self._bank), ("auditlog", self._log)]

    def _database(self, name: str):
        if name not in self.opened:
            self.opened[name] = self.connect(name)
        return self.opened[name]

    @staticmethod
    def _rows(connection, sql: str, arguments=()) -> list:
        with connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)  # without arguments a percent sign is one
            return cursor.fetchall()

    @staticmethod
    def _stream(connection, name: str, sql: str):
        with connection.cursor(name=name) as cursor:
            cursor.itersize = 20_000
            cursor.execute(sql)
            yield from cursor

    def _none(self, database: str, statements: dict) -> None:
        for what, sql in statements.items():
            for (place,) in self._rows(self._database(database), f"{sql} LIMIT {MOST_PLACES}"):
                self.find(f"{database}.{what}: {place}")

    def _differ(self, what: str, ours: dict, theirs: dict) -> None:
        """Both ways: what one has and the other has not, or has otherwise."""
        wrong = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        for key in sorted(wrong, key=str)[:MOST_PLACES]:
            self.find(f"{what}: {key}: {ours.get(key, 'nothing')} and {theirs.get(key, 'nothing')}")

    # --- dispatch against the plan --------------------------------------------------------------------------------------

    def _batches(self) -> None:
        dispatch = self._database("dispatch")
        planned = {self.batches[one["key"]]: (one["district"], one["department_id"], one["field"], one["policy_id"],
                                              one["period"], one["declared_count"], one["declared_fen"])
                   for one in self.plan["batches"] if one["key"] in self.batches and not one["cancelled"]}
        taken = {}
        for batch, number, step, approved in self._rows(
                dispatch, "SELECT batch_id, step_no, step, approved FROM review ORDER BY batch_id, step_no"):
            taken.setdefault(batch, []).append((number, step, approved))
        stored = {}
        for row in self._rows(dispatch, "SELECT batch_id, district, department_id, field, policy_id, period, declared_count, "
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
        self._differ("dispatch.batch, not what the plan says", stored, planned)

    def _notices(self) -> None:
        """Each frozen list is what the items are: its root is made again from them."""
        dispatch = self._database("dispatch")
        trees = {}

        def add(batch, name, village, fen, people, item):
            tree = trees.setdefault(batch, Tree())
            tree.add(sha256(b"\x00", (f"yikatong-notice/v1\nline: {tree.size + 1}\nname: {name}\nvillage: {village}\n"
                                      f"amount_fen: {fen}\npeople: {people}\nitem: {item}\n").encode()))

        for batch, item, name, village, fen in self._stream(
                dispatch, "listed", "SELECT batch_id, item_id, masked_name, village, amount_fen FROM item JOIN notice n "
                "USING (batch_id) WHERE NOT n.aggregate_only ORDER BY batch_id, item_id"):
            add(batch, name, village, fen, 1, item)
        for batch, village, people, fen in self._stream(
                dispatch, "cells", "SELECT batch_id, village, count(*), sum(amount_fen)::bigint FROM item JOIN notice n "
                "USING (batch_id) WHERE n.aggregate_only GROUP BY 1, 2 ORDER BY 1, 2"):
            add(batch, "", village, *((fen, people) if people >= 5 else (0, 0)), 0)
        counted = collections.Counter()
        for batch, root, lines in self._rows(dispatch, "SELECT batch_id, root, lines FROM notice"):
            counted[batch] += 1
            tree = trees.get(batch, Tree())
            if (bytes(root), lines) != (tree.root(), tree.size):
                self.find(f"dispatch.notice, not the list that its items make: batch {batch}")
        cancelled = {self.batches.get(one["key"]) for one in self.plan["batches"] if one["cancelled"]}
        for batch in self.batches.values():
            if counted[batch] != 1 and not (batch in cancelled and counted[batch] == 0):
                self.find(f"dispatch.notice, {counted[batch]} of one batch: {batch}")

    # --- dispatch against the gateway -----------------------------------------------------------------------------------

    def _attempts(self) -> None:
        dispatch, gateway = self._database("dispatch"), self._database("bankgateway")
        ours = {row[0]: row[1:] for row in self._stream(
            dispatch, "attempts", "SELECT a.reference, a.district, a.amount_fen, i.payee_id, a.account_version, a.bank_code "
            "FROM attempt a JOIN item i ON i.district = a.district AND i.item_id = a.reference / 100 "
            "JOIN submission s ON s.district = a.district AND s.batch_id = a.batch_id AND s.chunk = a.chunk "
            "AND s.submission_no = a.submission_no WHERE s.refused = ''")}
        theirs = {row[0]: row[1:] for row in self._stream(
            gateway, "instructions", "SELECT reference, district, amount_fen, person_id, account_version, payee_bank::bigint "
            "FROM instruction")}
        self._differ("dispatch.attempt and bankgateway.instruction differ at reference", ours, theirs)
        ours = {row[0]: row[1:] for row in self._rows(
            dispatch, "SELECT request_id, district, agreement_no, rows, amount_fen FROM submission WHERE refused = ''")}
        theirs = {row[0]: row[1:] for row in self._rows(
            gateway, "SELECT request_id, district, agreement_no, row_count, total_fen FROM submission")}
        self._differ("dispatch.submission and bankgateway.submission differ at", ours, theirs)

    def _outcomes(self) -> None:
        dispatch, gateway = self._database("dispatch"), self._database("bankgateway")
        sql = "SELECT reference, outcome_no, district, state, amount_fen, booked_on, coalesce(reason, '') FROM outcome"
        ours = {row[:2]: row[2:] for row in self._stream(dispatch, "told", f"{sql} WHERE outcome_no > 0")}
        theirs = {row[:2]: row[2:] for row in self._stream(gateway, "learnt", sql)}
        self._differ("dispatch.outcome and bankgateway.outcome differ at (reference, number)", ours, theirs)

    def _chunks_of_outcomes(self) -> None:
        dispatch, gateway = self._database("dispatch"), self._database("bankgateway")
        ours = {number: (district, set(references)) for number, district, references in self._rows(
            dispatch, "SELECT number, district, item_references FROM applied_chunk")}
        theirs = {number: (district, set(references)) for number, district, references in self._rows(
            gateway, "SELECT number, district, item_references FROM outcome_chunk WHERE number IS NOT NULL")}
        wrong = [number for number in ours.keys() | theirs.keys() if ours.get(number) != theirs.get(number)]
        for number in sorted(wrong)[:MOST_PLACES]:
            self.find(f"dispatch.applied_chunk and bankgateway.outcome_chunk differ at {number}")

    # --- the gateway against the bank -----------------------------------------------------------------------------------

    def _bank(self) -> None:
        gateway = self._database("bankgateway")
        books = journal.read_whole(self.journal_path)
        for place in books.faults[:MOST_PLACES]:
            self.find(f"the bank's journal: {place}")
        ours = {row[0]: (*row[1:5], bytes(row[5]).hex(), row[6]) for row in self._rows(
            gateway, "SELECT file_id, agreement_no, bank_code, row_count, total_fen, sha256, state = 5 FROM file "
            "WHERE state >= 3")}
        theirs = {name: (*one[:5], bool(one.reason)) for name, one in books.files.items()}
        # What was refused before the bank knew whose it is stands in no journal.
        ours = {name: one for name, one in ours.items() if name in theirs or not one[-1]}
        self._differ("bankgateway.file and the bank's journal differ at", ours, theirs)
        # Who is paid, by which file and on which day.
        ours = {row[0]: row[1:] for row in self._stream(
            gateway, "sent", "SELECT i.reference, s.file_id, i.amount_fen, i.last_four FROM instruction i "
            "JOIN submission s USING (submission_id) JOIN file f USING (file_id) WHERE f.state IN (3, 4)")}
        theirs = {reference: (one.file_id, one.amount_fen, one.last_four) for reference, one in books.rows.items()}
        self._differ("bankgateway.instruction and the bank's journal differ at reference", ours, theirs)
        ours = {row[:2]: row[2] for row in self._stream(
            gateway, "booked", "SELECT reference, state, booked_on::text FROM outcome WHERE state IN (1, 4)")}
        theirs = {}
        today = max((day for day, _ in books.days), default="")
        for reference, one in books.rows.items():
            # What is credited and not reported is known by the statement of its day, once the day is over.
            if one.credited_on and (one.reported or one.credited_on < today or (reference, 1) in ours):
                theirs[(reference, 1)] = one.credited_on
            if one.returned_on:
                theirs[(reference, 4)] = one.returned_on
        self._differ("bankgateway.outcome and the bank's journal differ at (reference, state)", ours, theirs)
        failed = {row[0] for row in self._stream(gateway, "failed", "SELECT o.reference FROM outcome o JOIN instruction i "
                                                 "USING (district, reference) JOIN submission s USING (submission_id) "
                                                 "JOIN file f USING (file_id) WHERE o.state = 2 AND f.state <> 5")}
        for reference in sorted(failed ^ {reference for reference, one in books.rows.items() if one.code})[:MOST_PLACES]:
            self.find(f"bankgateway.outcome and the bank's journal differ in what failed: reference {reference}")
        self._statements(gateway, books)
        cursors = dict(self._rows(gateway, "SELECT bank_code, result_cursor FROM bank WHERE address <> ''"))
        self._differ("bankgateway.bank, not all results were read of", cursors,
                     {code: books.results.get(code, 0) for code in cursors})
        planned = {(one["district"], one["bank_code"]): one["credits_other_banks"] for one in self.plan["agreements"]}
        stored = {row[:2]: row[2] for row in self._rows(
            gateway, "SELECT district, bank_code, credits_other_banks FROM agreement")}
        self._differ("bankgateway.agreement, not what the plan says", stored, planned)
        counted = self._rows(gateway, "SELECT count(*) FROM agreement")[0][0]
        if counted != len(self.plan["agreements"]):
            self.find(f"bankgateway.agreement, {counted} of {len(self.plan['agreements'])}")

    def _statements(self, gateway, books) -> None:
        complete = {(agreement, day) for agreement, day in self._rows(
            gateway, "SELECT agreement_no, day::text FROM statement WHERE complete")}
        ours = collections.Counter(tuple(row) for row in self._stream(
            gateway, "lines", "SELECT s.agreement_no, s.day::text, l.reference, l.debit, l.amount_fen FROM statement_line l "
            "JOIN statement s USING (statement_id)"))
        theirs = collections.Counter()
        last = max((day for _, day in complete), default="")
        for reference, one in books.rows.items():
            agreement = books.files[one.file_id].agreement_no if one.file_id in books.files else "none"
            for day, debit in ((one.credited_on, True), (one.returned_on, False)):
                # A day that is over has its statement.
                if day and day <= last:
                    theirs[(agreement, day, reference, debit, one.amount_fen)] += 1
                    if (agreement, day) not in complete:
                        self.find(f"bankgateway.statement, none that is complete of {agreement} on {day}")
        self._differ("bankgateway.statement_line and the bank's journal differ at", ours, theirs)

    # --- the log --------------------------------------------------------------------------------------------------------

    def _committed(self, dispatch) -> collections.Counter:
        """What dispatch's rows must have committed to: (kind, subject, root, leaves) of each chunk's step."""
        batches = {row[0]: row[1:] for row in self._rows(
            dispatch, "SELECT batch_id, district, policy_id, period, salt_key FROM batch")}
        found = collections.Counter()

        def leaf(step, item, batch, person, village, fen, state, name):
            _, policy, period, key = batches[batch]
            salt = hmac.new(bytes(key), str(item).encode(), hashlib.sha256).hexdigest()
            return sha256(b"\x00", (f"yikatong-item/v1\nstep: {step}\nitem: {item}\nbatch: {batch}\nperson: {person}\n"
                                    f"village: {village}\npolicy: {policy}\nperiod: {period}\namount_fen: {fen}\n"
                                    f"state: {state}\nname: {name}\nsalt: {salt}\n").encode())

        def roots(kind, step, state, rows):
            tree, place = None, None
            for batch, chunk, item, person, village, fen, name in rows:
                if batch not in batches:
                    continue
                if (batch, chunk) != place:
                    if tree is not None:
                        found[(kind, f"batches/{batches[place[0]][0]}/{place[0]}/chunks/{place[1]}", tree.root(), tree.size)] += 1
                    tree, place = Tree(), (batch, chunk)
                tree.add(leaf(step, item, batch, person, village, fen, state, name))
            if tree is not None:
                found[(kind, f"batches/{batches[place[0]][0]}/{place[0]}/chunks/{place[1]}", tree.root(), tree.size)] += 1

        roots("items.collected", "collect", "accepted", self._stream(
            dispatch, "collected", "SELECT batch_id, chunk, item_id, person_id, village, amount_fen, masked_name FROM item "
            "ORDER BY batch_id, chunk, item_id"))
        roots("chunk.submitted", "submit", "sent", self._stream(
            dispatch, "submitted", "SELECT a.batch_id, a.chunk, i.item_id, i.person_id, i.village, i.amount_fen, i.masked_name "
            "FROM attempt a JOIN item i ON i.district = a.district AND i.item_id = a.reference / 100 "
            "ORDER BY a.batch_id, a.chunk, a.reference"))
        tree, place = None, None
        for number, district, state, item, batch, person, village, fen, name in self._stream(
                dispatch, "applied", "SELECT c.number, c.district, r.state, i.item_id, i.batch_id, i.person_id, i.village, "
                "i.amount_fen, i.masked_name FROM applied_chunk c, "
                "unnest(c.item_references, c.states) WITH ORDINALITY AS r (reference, state, place) "
                "JOIN item i ON i.item_id = r.reference / 100 ORDER BY c.number, r.place"):
            if (number, district) != place:
                if tree is not None:
                    found[("outcomes.applied", f"outcomes/{place[1]}/{place[0]}", tree.root(), tree.size)] += 1
                tree, place = Tree(), (number, district)
            tree.add(leaf("outcome", item, batch, person, village, fen, OUTCOMES[state], name))
        if tree is not None:
            found[("outcomes.applied", f"outcomes/{place[1]}/{place[0]}", tree.root(), tree.size)] += 1
        return found

    def _log(self) -> None:
        dispatch = self._database("dispatch")
        waiting = [bytes(body) for (body,) in self._rows(dispatch, "SELECT body FROM outbox UNION ALL "
                                                         "SELECT body FROM outbox_number")]
        committed = self._committed(dispatch)
        appropriated = dict(self._rows(dispatch, "SELECT concat('budget-lines/', district, '/', line_id), "
                                       "sum(amount_fen)::bigint FROM ledger WHERE step = 'appropriate' GROUP BY 1"))
        log = self._database("auditlog")
        tree, roots = Tree(), {}
        numbers = {}
        logged, money = collections.Counter(), collections.Counter()
        bodies = set()

        def take(body: bytes) -> dict:
            facts = dict(line.split(": ", 1) for line in body.decode().split("\n") if ": " in line)
            if facts.get("kind") in ("items.collected", "chunk.submitted", "outcomes.applied") and facts.get("root"):
                logged[(facts["kind"], facts["subject"], bytes.fromhex(facts["root"]), int(facts["leaves"]))] += 1
            if facts.get("kind") == "budget.appropriated":
                money[facts["subject"]] += int(facts["detail.amount_fen"])
            return facts

        for index, producer, epoch, number, leaf_hash, district, kind, subject, root, body in self._stream(
                log, "entries", "SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, "
                "subtree_root, body FROM entry ORDER BY index"):
            body = bytes(body)
            if index != tree.size:
                self.find(f"auditlog.entry, not the next one: {index}")
            facts = take(body)
            bodies.add(body)
            if bytes(leaf_hash) != sha256(b"\x00", body):
                self.find(f"auditlog.entry, the hash of {index} is not that of its body")
            shown = (facts.get("kind"), facts.get("subject"), facts.get("district"), facts.get("root") or "")
            if shown != (kind, subject, str(district), bytes(root).hex() if root is not None else ""):
                self.find(f"auditlog.entry, {index} is filed as something else than it is")
            if number != numbers.get((producer, epoch), 0) + 1:
                self.find(f"auditlog.entry, {producer}'s number {number} at {index} does not follow")
            numbers[(producer, epoch)] = number
            tree.add(sha256(b"\x00", body))
            roots[tree.size] = tree.root()
        for body in waiting:
            if body not in bodies:
                bodies.add(body)
                take(body)
        heads = self._rows(log, "SELECT size, root FROM tree_head ORDER BY size")
        if len({size for size, _ in heads}) != len(heads):
            self.find("auditlog.tree_head, a size that is there twice")
        for size, root in heads:
            if roots.get(size) != bytes(root):
                self.find(f"auditlog.tree_head, not the root of the first {size} entries")
        if roots and (not heads or heads[-1][0] != tree.size):
            self.find(f"auditlog.tree_head, none over all {tree.size} entries")
        nodes = self._rows(log, "SELECT level, index, hash FROM tree_node")
        stored = {row[:2]: bytes(row[2]) for row in nodes}
        if len(nodes) != len(stored):
            self.find("auditlog.tree_node, one that is there twice")
        wrong = [place for place in stored.keys() | tree.nodes.keys() if stored.get(place) != tree.nodes.get(place)]
        for place in sorted(wrong)[:MOST_PLACES]:
            self.find(f"auditlog.tree_node, not the hash of what is under it: {place}")
        for place in sorted((committed - logged) + (logged - committed), key=str)[:MOST_PLACES]:
            self.find(f"auditlog.entry and dispatch's rows differ at {place[0]} {place[1]}")
        self._differ("auditlog.entry and dispatch.ledger differ in what was appropriated to", appropriated, dict(money))
