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

MOST_PLACES = 5

# Each statement gives the places where something does not fit, as text; nothing where all does.
DISPATCH = {
    "batch, stored more than once":
        "SELECT batch_id::text FROM batch GROUP BY batch_id HAVING count(*) > 1",
    "upload_chunk, not what its items and refused rows are":
        """SELECT concat(batch_id, ' chunk ', chunk) FROM (
             SELECT batch_id, chunk, count(*) AS times, max(rows) AS rows, max(rows_fen) AS rows_fen, max(accepted) AS accepted,
                    max(accepted_fen) AS accepted_fen, max(last_row - first_row + 1) AS span, max(first_item) AS first_item,
                    max(last_item) AS last_item
             FROM upload_chunk GROUP BY batch_id, chunk) u
           FULL JOIN (SELECT batch_id, chunk, count(*) AS items, sum(amount_fen) AS fen, min(item_id) AS first_item,
                             max(item_id) AS last_item FROM item GROUP BY batch_id, chunk) i USING (batch_id, chunk)
           FULL JOIN (SELECT batch_id, chunk, count(*) AS refused, sum(amount_fen) AS fen FROM rejection
                      GROUP BY batch_id, chunk) r USING (batch_id, chunk)
           WHERE u.times IS DISTINCT FROM 1 OR u.rows <> u.span OR u.accepted <> coalesce(i.items, 0)
              OR u.accepted_fen <> coalesce(i.fen, 0) OR u.rows <> u.accepted + coalesce(r.refused, 0)
              OR u.rows_fen <> u.accepted_fen + coalesce(r.fen, 0)
              OR (u.first_item, u.last_item) <> (coalesce(i.first_item, 0), coalesce(i.last_item, 0))""",
    "upload_chunk, not all rows of its batch once":
        """SELECT b.batch_id::text FROM batch b JOIN (
             SELECT batch_id, sum(last_row - first_row + 1) AS rows, min(first_row) AS first, max(last_row) AS last
             FROM upload_chunk GROUP BY batch_id) u USING (batch_id)
           WHERE b.state NOT IN (1, 11) AND (u.rows, u.first, u.last) <> (b.declared_count, 1, b.declared_count)""",
    "item, without its batch or outside of it":
        """SELECT i.item_id::text FROM item i LEFT JOIN batch b USING (district, batch_id)
           WHERE b.batch_id IS NULL OR i.item_id NOT BETWEEN b.first_item AND b.first_item + b.declared_count - 1""",
    "claim, not what the uploads took":
        """SELECT coalesce(w.claim_key, c.claim_key)::text FROM (
             SELECT r.claim_key, count(*) AS times, min(u.first_item) AS first_item, max(u.last_item) AS last_item
             FROM upload_chunk u JOIN batch b USING (district, batch_id), unnest(u.claim_keys) AS r (claim_key)
             WHERE b.state <> 11 GROUP BY r.claim_key) w
           FULL JOIN (SELECT claim_key, count(*) AS times, min(owner) AS owner, sum(holders) AS holders FROM claim
                      WHERE owner > 0 GROUP BY claim_key) c USING (claim_key)
           LEFT JOIN item i ON i.item_id = c.owner
           WHERE w.times IS DISTINCT FROM 1 OR c.times IS DISTINCT FROM 1 OR c.holders <> 1 OR i.item_id IS NULL
              OR c.owner NOT BETWEEN w.first_item AND w.last_item""",
    "claim on an exclusion edge, not held by as many items as the uploads say":
        """SELECT coalesce(w.claim_key, c.claim_key)::text FROM (
             SELECT r.claim_key, sum(r.holders) AS holders
             FROM upload_chunk u JOIN batch b USING (district, batch_id),
                  unnest(u.edge_keys, u.edge_holders) AS r (claim_key, holders)
             WHERE b.state <> 11 GROUP BY r.claim_key) w
           FULL JOIN (SELECT claim_key, count(*) AS times, sum(holders) AS holders FROM claim WHERE owner < 0
                      GROUP BY claim_key) c USING (claim_key)
           WHERE w.holders IS DISTINCT FROM c.holders OR c.times IS DISTINCT FROM 1""",
    "movement, not what the items have become":
        """WITH last_attempt AS (SELECT DISTINCT ON (reference / 100) reference / 100 AS item_id, reference FROM attempt
                                 ORDER BY reference / 100, reference DESC),
           last_outcome AS (SELECT DISTINCT ON (reference) reference, state FROM outcome ORDER BY reference, outcome_no DESC),
           away AS (SELECT DISTINCT ON (item_id) item_id, bucket FROM exception WHERE NOT resolved AND bucket <> 11
                    ORDER BY item_id, exception_no DESC),
           counted AS (
             SELECT i.batch_id, coalesce(e.bucket, CASE WHEN a.reference IS NULL THEN 1 WHEN o.state IS NULL THEN 5
                                                        ELSE 5 + o.state END) AS bucket,
                    count(*) AS items, sum(i.amount_fen) AS fen
             FROM item i JOIN batch b USING (district, batch_id) LEFT JOIN away e USING (item_id)
             LEFT JOIN last_attempt a USING (item_id) LEFT JOIN last_outcome o USING (reference)
             WHERE b.state <> 11 GROUP BY 1, 2
             UNION ALL
             SELECT a.batch_id, 21, count(*), sum(a.amount_fen) FROM outcome o JOIN attempt a USING (district, reference)
             WHERE o.state = 4 GROUP BY 1
             UNION ALL
             SELECT a.batch_id, 22, count(*), sum(a.amount_fen) FROM last_outcome o JOIN attempt a USING (reference)
             WHERE o.state = 1 AND a.reference % 100 > 1 GROUP BY 1
             UNION ALL
             SELECT batch_id, 23, count(*), sum(amount_fen) FROM attempt WHERE NOT social_card AND reference % 100 = 1 GROUP BY 1),
           moved AS (
             SELECT batch_id, bucket, sum(items) AS items, sum(fen) AS fen FROM (
               SELECT batch_id, to_bucket AS bucket, items, amount_fen AS fen FROM movement
               UNION ALL SELECT batch_id, from_bucket, -items, -amount_fen FROM movement) m
             JOIN batch b USING (batch_id) WHERE b.state <> 11 AND bucket > 0 GROUP BY 1, 2)
           SELECT concat(batch_id, ' bucket ', bucket) FROM counted c FULL JOIN moved m USING (batch_id, bucket)
           WHERE coalesce(c.items, 0) <> coalesce(m.items, 0) OR coalesce(c.fen, 0) <> coalesce(m.fen, 0)""",
    "movement, not what happened step by step":
        """SELECT concat(batch_id, ' bucket ', bucket, ' ', reason) FROM (
             SELECT batch_id, to_bucket AS bucket, reason, sum(items) AS items, sum(amount_fen) AS fen FROM movement
             WHERE to_bucket IN (2, 3, 4, 5, 6, 7, 8, 9) OR (to_bucket = 1 AND from_bucket = 0) GROUP BY 1, 2, 3) m
           FULL JOIN (
             SELECT e.batch_id, e.bucket, e.reason, count(*) AS items, sum(i.amount_fen) AS fen
             FROM exception e JOIN item i USING (district, item_id) WHERE e.bucket IN (2, 3, 4) GROUP BY 1, 2, 3
             UNION ALL
             SELECT a.batch_id, 5 + o.state, o.reason, count(*), sum(a.amount_fen)
             FROM outcome o JOIN attempt a USING (district, reference) GROUP BY 1, 2, 3
             UNION ALL SELECT batch_id, 5, '', count(*), sum(amount_fen) FROM attempt GROUP BY 1
             UNION ALL SELECT batch_id, 1, '', count(*), sum(amount_fen) FROM item GROUP BY 1) s USING (batch_id, bucket, reason)
           WHERE m.items IS DISTINCT FROM s.items OR m.fen IS DISTINCT FROM s.fen""",
    "exception, without its item or twice":
        """SELECT concat(e.item_id, ' number ', e.exception_no) FROM exception e LEFT JOIN item i USING (district, item_id, batch_id)
           GROUP BY 1, i.item_id HAVING i.item_id IS NULL OR count(*) > 1""",
    "exception, an item that has left in more than one way":
        """SELECT item_id::text FROM exception WHERE NOT resolved AND bucket <> 11 GROUP BY item_id HAVING count(*) > 1""",
    "chunk, an item that is in none or in two":
        """SELECT concat(i.batch_id, ' item ', i.item_id) FROM item i JOIN batch b USING (district, batch_id)
           LEFT JOIN chunk c ON c.batch_id = i.batch_id AND NOT c.repair AND i.item_id BETWEEN c.first_item AND c.last_item
           WHERE b.state NOT IN (1, 11) GROUP BY i.batch_id, i.item_id HAVING count(c.chunk) <> 1""",
    "chunk, stored more than once":
        "SELECT concat(batch_id, ' chunk ', chunk) FROM chunk GROUP BY batch_id, chunk HAVING count(*) > 1",
    "chunk, not done although its batch is settled":
        """SELECT concat(c.batch_id, ' chunk ', c.chunk) FROM chunk c JOIN batch b USING (district, batch_id)
           WHERE b.state IN (8, 9) AND c.stage <> 4""",
    "chunk, a repair that did nothing with an item":
        """SELECT concat(c.batch_id, ' chunk ', c.chunk, ' item ', r.item_id) FROM chunk c, unnest(c.item_ids) AS r (item_id)
           WHERE c.stage = 4
             AND NOT EXISTS (SELECT FROM attempt a WHERE a.reference BETWEEN r.item_id * 100 AND r.item_id * 100 + 99
                                                     AND a.batch_id = c.batch_id AND a.chunk = c.chunk)
             AND NOT EXISTS (SELECT FROM exception e WHERE e.item_id = r.item_id)""",
    "attempt, not of an item of its chunk":
        """SELECT a.reference::text FROM attempt a LEFT JOIN chunk c USING (district, batch_id, chunk)
           WHERE c.chunk IS NULL OR a.reference / 100 NOT BETWEEN c.first_item AND c.last_item
              OR (c.repair AND a.reference / 100 <> ALL (c.item_ids))""",
    "attempt, one that is skipped or stored twice":
        """SELECT (reference / 100)::text FROM attempt GROUP BY reference / 100
           HAVING count(*) <> max(reference % 100) OR count(DISTINCT reference) <> count(*)""",
    "submission, not what its attempts are":
        """SELECT concat(batch_id, ' chunk ', chunk, ' submission ', submission_no) FROM (
             SELECT batch_id, chunk, submission_no, count(*) AS times, max(rows) AS rows, max(amount_fen) AS fen,
                    bool_and(acknowledged OR refused <> '') AS ended FROM submission GROUP BY 1, 2, 3) s
           FULL JOIN (SELECT batch_id, chunk, submission_no, count(*) AS rows, sum(amount_fen) AS fen FROM attempt
                      GROUP BY 1, 2, 3) a USING (batch_id, chunk, submission_no)
           WHERE s.times IS DISTINCT FROM 1 OR s.rows IS DISTINCT FROM a.rows OR s.fen IS DISTINCT FROM a.fen OR NOT s.ended""",
    "outcome, not what was applied of the gateway's chunks":
        """SELECT concat(number, ' reference ', reference) FROM (
             SELECT c.number, r.reference, r.state, count(*) AS times
             FROM applied_chunk c, unnest(c.item_references, c.states) AS r (reference, state) GROUP BY 1, 2, 3) c
           FULL JOIN (SELECT applied_in AS number, reference, state, count(*) AS times FROM outcome WHERE applied_in <> 0
                      GROUP BY 1, 2, 3) o USING (number, reference, state)
           WHERE c.times IS DISTINCT FROM o.times""",
    "applied_chunk, a number that is missing or there twice":
        """SELECT concat(min(number), ' to ', max(number)) FROM applied_chunk
           HAVING count(*) <> coalesce(max(number), 0) OR count(DISTINCT number) <> count(*)
               OR max(number) <> (SELECT max(applied) FROM outcome_cursor)""",
    "reservation, not what the ledger reserved":
        """SELECT concat(batch_id, ' line ', line_id) FROM (
             SELECT district, batch_id, line_id, sum(amount_fen) AS fen, count(*) AS times FROM reservation GROUP BY 1, 2, 3) r
           FULL JOIN (SELECT district, batch_id, line_id, sum(amount_fen) AS fen FROM ledger
                      WHERE step = 'reserve' AND reason = '' AND batch_id <> 0 AND chunk = 0 GROUP BY 1, 2, 3) l
           USING (district, batch_id, line_id)
           WHERE coalesce(r.fen, -1) <> coalesce(l.fen, 0) OR r.times <> 1""",
    "ledger, not what was sent and what came of it":
        """SELECT concat(batch_id, ' chunk ', chunk, ' ', step, ' ', reason) FROM (
             SELECT batch_id, chunk, step, reason, sum(amount_fen) AS fen FROM ledger
             WHERE step IN ('submit', 'paid', 'failed', 'returned') GROUP BY 1, 2, 3, 4) l
           FULL JOIN (
             SELECT batch_id, chunk, 'submit' AS step, '' AS reason, sum(amount_fen) AS fen FROM attempt GROUP BY 1, 2
             UNION ALL
             SELECT a.batch_id, a.chunk, (ARRAY['paid', 'failed', '', 'returned'])[o.state], o.reason, sum(a.amount_fen)
             FROM outcome o JOIN attempt a USING (district, reference) WHERE o.state <> 3 GROUP BY 1, 2, 3, 4) s
           USING (batch_id, chunk, step, reason)
           WHERE l.fen IS DISTINCT FROM s.fen""",
    "ledger, a step between accounts that are not its own":
        """SELECT concat(batch_id, ' line ', line_id, ' ', step) FROM ledger
           WHERE (step = 'appropriate' AND (debit, credit) <> (2, 1)) OR (step = 'reserve' AND (debit, credit) <> (3, 2))
              OR (step = 'submit' AND (debit, credit) <> (4, 3)) OR (step = 'paid' AND (debit, credit) <> (5, 4))
              OR (step = 'failed' AND (debit, credit) <> (3, 4)) OR (step = 'release' AND (debit, credit) <> (2, 3))
              OR (step = 'returned' AND (debit, credit) NOT IN ((2, 5), (6, 5)))""",
    "ledger, of a line that is none, or of another policy or year than its batch":
        """SELECT DISTINCT concat(l.district, ' line ', l.line_id) FROM ledger l LEFT JOIN budget_line b USING (district, line_id)
           LEFT JOIN batch t ON t.district = l.district AND t.batch_id = l.batch_id
           WHERE b.line_id IS NULL OR (l.batch_id <> 0 AND (t.policy_id IS NULL OR t.policy_id <> b.policy_id))
              OR (l.step = 'reserve' AND b.year <> extract(year FROM l.business_date))""",
    "budget_line, stored more than once":
        """SELECT concat(district, ' line ', line_id) FROM budget_line GROUP BY district, line_id HAVING count(*) > 1""",
    "objection, not what its item's exceptions say":
        """SELECT concat(o.batch_id, ' objection ', o.objection_id) FROM objection o JOIN batch b USING (district, batch_id)
           WHERE b.state <> 11 AND (
             (o.state = 1) <> EXISTS (SELECT FROM exception e WHERE e.item_id = o.item_id AND e.bucket = 2 AND NOT e.resolved)
             OR (o.state = 2) <> EXISTS (SELECT FROM exception e WHERE e.item_id = o.item_id AND e.bucket = 3
                                                                   AND e.reason = 'OBJECTION_UPHELD'))""",
    "objection, others than the items that were held":
        """SELECT item_id::text FROM (SELECT item_id, count(*) AS times, count(DISTINCT (batch_id, objection_id)) AS kinds
                                      FROM objection GROUP BY 1) o
           FULL JOIN (SELECT item_id, count(*) AS times FROM exception WHERE bucket = 2 GROUP BY 1) e USING (item_id)
           WHERE o.times IS DISTINCT FROM e.times OR o.kinds <> o.times""",
    "review, by somebody who entered, reviewed or released the batch as well":
        """SELECT r.batch_id::text FROM review r JOIN batch b USING (district, batch_id)
           GROUP BY r.batch_id HAVING count(DISTINCT r.person) <> count(*)
              OR bool_or(r.person IN (b.created_by, b.released_by))""",
    "attachment, no evidence that the list was public":
        """SELECT n.batch_id::text FROM notice n JOIN batch b USING (district, batch_id)
           LEFT JOIN attachment a ON a.batch_id = n.batch_id AND a.kind = 'notice_photo'
           WHERE NOT n.aggregate_only AND b.state BETWEEN 4 AND 9 AND a.batch_id IS NULL""",
    "attachment, the same bytes twice":
        "SELECT batch_id::text FROM attachment GROUP BY batch_id, sha256 HAVING count(*) > 1",
}

GATEWAY = {
    "instruction, not what its submission holds":
        """SELECT concat(submission_id, ' reference ', reference) FROM (
             SELECT s.submission_id, r.reference, count(*) AS times FROM submission s, unnest(s.item_references) AS r (reference)
             GROUP BY 1, 2) s
           FULL JOIN (SELECT submission_id, reference, count(*) AS times FROM instruction GROUP BY 1, 2) i
           USING (submission_id, reference) WHERE s.times IS DISTINCT FROM 1 OR i.times IS DISTINCT FROM 1""",
    "submission, not the sum of its instructions":
        """SELECT s.request_id FROM submission s LEFT JOIN (
             SELECT submission_id, count(*) AS rows, sum(amount_fen) AS fen FROM instruction GROUP BY 1) i USING (submission_id)
           GROUP BY s.request_id, s.row_count, s.total_fen, i.rows, i.fen
           HAVING count(*) > 1 OR s.row_count IS DISTINCT FROM i.rows OR s.total_fen IS DISTINCT FROM i.fen""",
    "file, not what its submissions are":
        """SELECT file_id FROM (
             SELECT file_id, count(*) AS times, max(row_count) AS rows, max(total_fen) AS fen, max(agreement_no) AS agreement_no,
                    max(district) AS district, max(bank_code) AS bank_code FROM file GROUP BY 1) f
           FULL JOIN (SELECT coalesce(file_id, 'in no file') AS file_id, sum(row_count) AS rows, sum(total_fen) AS fen,
                             max(agreement_no) AS agreement_no, max(district) AS district, max(bank_code) AS bank_code,
                             count(DISTINCT (agreement_no, district, bank_code)) AS kinds FROM submission GROUP BY 1) s
           USING (file_id)
           WHERE f.times IS DISTINCT FROM 1 OR f.rows IS DISTINCT FROM s.rows OR f.fen IS DISTINCT FROM s.fen OR s.kinds <> 1
              OR (f.agreement_no, f.district, f.bank_code) <> (s.agreement_no, s.district, s.bank_code)""",
    "file, not all its parts once":
        """SELECT file_id FROM file FULL JOIN (SELECT file_id, count(*) AS parts, max(part) - min(part) + 1 AS span FROM file_part
                                               GROUP BY 1) p USING (file_id)
           WHERE part_count IS DISTINCT FROM parts OR parts <> span""",
    "file, its final rows are not those with an end":
        """SELECT f.file_id FROM file f JOIN submission s USING (file_id) JOIN instruction i USING (submission_id)
           LEFT JOIN (SELECT DISTINCT reference FROM outcome WHERE state <> 3) o USING (reference)
           GROUP BY f.file_id, f.final_rows, f.state HAVING count(o.reference) <> f.final_rows
               OR (f.state IN (4, 5)) <> (count(o.reference) = count(*))""",
    "outcome, without an instruction, or not of its amount":
        """SELECT o.reference::text FROM outcome o LEFT JOIN instruction i USING (district, reference)
           WHERE i.reference IS NULL OR i.amount_fen <> o.amount_fen""",
    "outcome, one that is skipped or stored twice":
        """SELECT reference::text FROM outcome GROUP BY reference
           HAVING count(*) <> max(outcome_no) OR count(DISTINCT outcome_no) <> count(*)""",
    "outcome_chunk, not what its outcomes are":
        """SELECT concat(reference, ' number ', outcome_no) FROM (
             SELECT r.reference, r.outcome_no, count(*) AS times
             FROM outcome_chunk c, unnest(c.item_references, c.outcome_nos) AS r (reference, outcome_no) GROUP BY 1, 2) c
           FULL JOIN (SELECT reference, outcome_no, count(*) AS times FROM outcome GROUP BY 1, 2) o USING (reference, outcome_no)
           WHERE c.times IS DISTINCT FROM 1 OR o.times IS DISTINCT FROM 1""",
    "outcome_chunk, a number that is missing or there twice":
        """SELECT concat(min(number), ' to ', max(number)) FROM outcome_chunk
           HAVING count(*) <> coalesce(max(number), 0) OR count(DISTINCT number) <> count(*)
               OR coalesce(max(number), 0) <> (SELECT max(number) FROM outcome_head)""",
    "outcome_chunk, its counts are not those of the outcomes":
        """SELECT concat_ws(' ', c.paid, c.failed, c.unknown, c.returned) FROM (
             SELECT sum(paid) AS paid, sum(failed) AS failed, sum(unknown) AS unknown, sum(returned) AS returned
             FROM outcome_chunk) c, (
             SELECT count(*) FILTER (WHERE state = 1) AS paid, count(*) FILTER (WHERE state = 2) AS failed,
                    count(*) FILTER (WHERE state = 3) AS unknown, count(*) FILTER (WHERE state = 4) AS returned
             FROM (SELECT DISTINCT ON (reference) state FROM outcome ORDER BY reference, outcome_no DESC) l) o
           WHERE (c.paid, c.failed, c.unknown, c.returned) IS DISTINCT FROM (o.paid, o.failed, o.unknown, o.returned)""",
    "notification_batch, not one message for each payment that we tell of":
        """SELECT reference::text FROM (
             SELECT r.reference, count(*) AS times, max(r.amount_fen) AS fen, max(r.last_four) AS last_four
             FROM notification_batch n, unnest(n.item_references, n.amounts_fen, n.last_fours) AS r (reference, amount_fen, last_four)
             GROUP BY 1) n
           FULL JOIN (SELECT i.reference, i.amount_fen AS fen, i.last_four FROM instruction i
                      JOIN submission s USING (submission_id) JOIN agreement g USING (agreement_no)
                      JOIN outcome o ON o.reference = i.reference AND o.state = 1 WHERE NOT g.bank_notifies) p USING (reference)
           WHERE n.times IS DISTINCT FROM 1 OR n.fen IS DISTINCT FROM p.fen OR n.last_four IS DISTINCT FROM p.last_four""",
    "statement, not the sum of its lines":
        """SELECT concat(s.agreement_no, ' ', s.day) FROM statement s
           LEFT JOIN (SELECT statement_id, count(*) AS lines, sum(amount_fen) FILTER (WHERE debit) AS debit,
                             sum(amount_fen) FILTER (WHERE NOT debit) AS credit FROM statement_line GROUP BY 1) l
           USING (statement_id)
           GROUP BY s.agreement_no, s.day, s.lines, s.agreed, s.differences, s.debit_fen, s.credit_fen, l.lines, l.debit, l.credit
           HAVING count(*) > 1 OR s.lines <> coalesce(l.lines, 0) OR s.lines <> s.agreed + s.differences
               OR s.debit_fen <> coalesce(l.debit, 0) OR s.credit_fen <> coalesce(l.credit, 0)""",
    "statement_line, of a statement that is none, or of a reference that is not ours":
        """SELECT concat(l.statement_id, ' reference ', l.reference) FROM statement_line l
           LEFT JOIN statement s USING (statement_id)
           LEFT JOIN instruction i ON i.district = l.district AND i.reference = l.reference
           WHERE s.statement_id IS NULL OR i.reference IS NULL""",
    # What a statement itself told stands in neither count, so that both differ from the rows by the same number.
    "book_day, not what was reported and what the statements hold":
        """SELECT concat(agreement_no, ' ', day, CASE WHEN debit THEN ' paid' ELSE ' returned' END) FROM (
             SELECT agreement_no, day, debit, count(*) AS times, max(reported) AS reported, max(matched) AS matched FROM book_day
             GROUP BY 1, 2, 3) b
           FULL JOIN (
             SELECT s.agreement_no, o.booked_on AS day, o.state = 1 AS debit, count(*) AS reported
             FROM outcome o JOIN instruction i USING (district, reference) JOIN submission s USING (submission_id)
             WHERE o.state IN (1, 4) GROUP BY 1, 2, 3) r USING (agreement_no, day, debit)
           LEFT JOIN (SELECT s.agreement_no, s.day, l.debit, count(*) AS matched FROM statement_line l
                      JOIN statement s USING (statement_id) GROUP BY 1, 2, 3) m USING (agreement_no, day, debit)
           WHERE b.times IS DISTINCT FROM 1 OR r.reported IS NULL OR r.reported - b.reported <> coalesce(m.matched, 0) - b.matched
              OR b.matched > b.reported""",
}


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
                   for one in self.plan["batches"] if one["key"] in self.batches}
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
        for batch in self.batches.values():
            if counted[batch] != 1:
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
        stored = {row[:2]: row[2] for row in self._rows(gateway, "SELECT district, bank_code, credits_other_banks FROM agreement")}
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
            tree.add(leaf("outcome", item, batch, person, village, fen, ("", "paid", "failed", "unknown", "returned")[state], name))
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
                log, "entries", "SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, "
                "body FROM entry ORDER BY index"):
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
