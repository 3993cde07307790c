"""Statements like those of `row_joins`, for what is rare beside payments: numbers that were given, lists of those who left, money
from above and orders between lines, recoveries and top-ups, cases and what differs, the hash tree, the life of a record."""

# Of every service's database.
EVERY = {
    "schema_migrations, a number that is missing or there twice":
        """SELECT concat(count(*), ' migrations, the last ', max(number)) FROM schema_migrations
           HAVING count(*) <> coalesce(max(number), 1) OR count(DISTINCT number) <> count(*)""",
}


def raised(first: int) -> str:
    """Restores that do not follow each other, where the first epoch of all was `first`."""
    return f"""SELECT restore_id FROM restored r
               WHERE epoch <> {first} + (SELECT count(*) FROM restored o WHERE o.epoch <= r.epoch) OR kept_through < 0"""


DISPATCH = {
    "restore_epoch, not one row that was raised by each restore, or behind the newest batch":
        """SELECT concat(count(*), ' rows, epoch ', max(epoch)) FROM restore_epoch
           HAVING count(*) <> 1 OR max(epoch) <> (SELECT count(*) FROM restored)
               OR max(epoch) < coalesce((SELECT max(batch_id / 10000000 % 10) FROM batch), 0)""",
    "restored, not one for each epoch": raised(0),
    "district_counter, not the number after the last one":
        """SELECT concat('district ', district) FROM (
             SELECT district, count(*) AS times, max(next_batch) AS next_batch, max(next_serial) AS next_serial,
                    max(next_line) AS next_line, max(next_document) AS next_document, max(next_recovery) AS next_recovery
             FROM district_counter GROUP BY district) c
           FULL JOIN (SELECT district, max(batch_id % 10000000) AS batch,
                             max((first_item + declared_count - 1) % 1000000000) AS serial FROM batch
                      WHERE batch_id / 10000000 % 10 = (SELECT max(epoch) FROM restore_epoch) GROUP BY district) b USING (district)
           FULL JOIN (SELECT district, max(line_id % 10000000) AS line FROM budget_line GROUP BY district) l USING (district)
           FULL JOIN (SELECT district, max(number % 10000000) AS document FROM (
                        SELECT district, receipt_id AS number FROM fund_receipt
                        UNION ALL SELECT district, pass_down_id FROM pass_down
                        UNION ALL SELECT district, order_id FROM budget_order) d GROUP BY district) d USING (district)
           FULL JOIN (SELECT district, max(number % 10000000) AS recovery FROM (
                        SELECT district, recovery_id AS number FROM recovery UNION ALL SELECT district, case_id FROM recovery_case
                        UNION ALL SELECT district, arrival_id FROM arrival) r GROUP BY district) r USING (district)
           WHERE c.times IS DISTINCT FROM 1 OR c.next_batch <> coalesce(b.batch, 0) + 1
              OR c.next_serial <> coalesce(b.serial, 0) + 1
              OR c.next_line <> coalesce(l.line, 0) + 1 OR c.next_document <> coalesce(d.document, 0) + 1
              OR c.next_recovery <> coalesce(r.recovery, 0) + 1""",
    "request, kept more than once":
        "SELECT request_id FROM request GROUP BY request_id HAVING count(*) > 1",
    "outcome_cursor, not one for each feed that is followed":
        """SELECT concat(count(*), ' cursors') FROM outcome_cursor
           HAVING count(*) <> 2 OR count(*) FILTER (WHERE gateway IN ('bankgateway', 'registry')) <> 2""",
    "departure, of somebody who has not left, or to a list that does not follow another":
        """SELECT concat(d.batch_id, ' person ', d.person_id) FROM departure d JOIN batch b USING (district, batch_id)
           LEFT JOIN (SELECT DISTINCT district, batch_id, person_id FROM item) i USING (district, batch_id, person_id)
           LEFT JOIN (SELECT e.district, e.policy_id, e.period, i.person_id, sum(i.amount_fen) AS fen, min(i.masked_name) AS name
                      FROM item i JOIN batch e USING (district, batch_id) WHERE e.state NOT IN (1, 11) GROUP BY 1, 2, 3, 4) e
             ON e.district = b.district AND e.policy_id = b.policy_id AND e.period < b.period AND e.person_id = d.person_id
           GROUP BY d.batch_id, d.person_id
           HAVING count(i.person_id) > 0 OR count(e.person_id) = 0
               OR NOT bool_or(e.fen = d.amount_fen AND e.name = d.masked_name)""",
    "departure, one that is there twice, or without its batch":
        """SELECT concat(d.batch_id, ' person ', d.person_id) FROM departure d LEFT JOIN batch b USING (district, batch_id)
           GROUP BY d.batch_id, d.person_id HAVING count(*) > 1 OR count(b.batch_id) = 0""",
    "fund_receipt, not the sum of what was passed down of it":
        """SELECT concat(district, ' receipt ', receipt_id) FROM (
             SELECT district, receipt_id, count(*) AS times, max(amount_fen) AS fen, max(passed_fen) AS passed FROM fund_receipt
             GROUP BY 1, 2) r
           FULL JOIN (SELECT district, receipt_id, sum(amount_fen) AS passed FROM pass_down GROUP BY 1, 2) p
             USING (district, receipt_id)
           WHERE r.times IS DISTINCT FROM 1 OR r.passed <> coalesce(p.passed, 0) OR r.passed > r.fen""",
    "fund_receipt, one that no entry of the counter covers":
        """SELECT concat(f.district, ' receipt ', f.receipt_id) FROM fund_receipt f LEFT JOIN district_counter c USING (district)
           WHERE c.district IS NULL OR f.receipt_id % 10000000 NOT BETWEEN 1 AND c.next_document - 1""",
    "pass_down, not what is booked on the line below":
        """SELECT concat(district, ' passing down ', pass_down_id) FROM (
             SELECT district, pass_down_id, to_district, line_id, amount_fen, booked, count(*) AS times FROM pass_down
             GROUP BY 1, 2, 3, 4, 5, 6) p
           FULL JOIN (SELECT from_district AS district, pass_down_id, district AS to_district, line_id, count(*) AS times
                      FROM pass_down_booking GROUP BY 1, 2, 3, 4) b USING (district, pass_down_id, to_district, line_id)
           FULL JOIN (SELECT split_part(reason, '/', 2)::integer AS district, split_part(reason, '/', 3)::bigint AS pass_down_id,
                             district AS to_district, line_id, sum(amount_fen) AS fen FROM ledger WHERE step = 'pass_down'
                      GROUP BY 1, 2, 3, 4) l USING (district, pass_down_id, to_district, line_id)
           WHERE p.times IS DISTINCT FROM 1 OR b.times > 1 OR (p.booked AND b.times IS NULL)
              OR (b.times IS NULL) <> (l.fen IS NULL) OR l.fen <> p.amount_fen""",
    "budget_order, not what its lines were moved by":
        """SELECT concat(district, ' order ', order_id) FROM (
             SELECT district, order_id, kind, amount_fen, state, line_id, to_line_id, count(*) AS times FROM budget_order
             GROUP BY 1, 2, 3, 4, 5, 6, 7) o
           FULL JOIN (SELECT district, split_part(reason, '/', 3)::bigint AS order_id, array_agg(line_id ORDER BY credit <> 2, line_id)
                               AS lines, min(amount_fen) AS least, max(amount_fen) AS most,
                             max(array_position(ARRAY['transfer', 'lapse', 'carry_over', 'settle'], step)) AS kind
                      FROM ledger WHERE step IN ('transfer', 'lapse', 'carry_over', 'settle') GROUP BY 1, 2) l
             USING (district, order_id)
           WHERE o.times IS DISTINCT FROM 1 OR (o.state = 2 AND o.amount_fen > 0) IS DISTINCT FROM (l.lines IS NOT NULL)
              OR (l.least, l.most, l.kind) <> (o.amount_fen, o.amount_fen, o.kind)
              OR l.lines <> array_remove(ARRAY[o.line_id, o.to_line_id], NULL)""",
    "budget_order, one that no entry of the counter covers":
        """SELECT concat(o.district, ' order ', o.order_id) FROM budget_order o LEFT JOIN district_counter c USING (district)
           LEFT JOIN budget_line l ON l.district = o.district AND l.line_id = o.line_id
           WHERE l.line_id IS NULL OR c.district IS NULL OR o.order_id % 10000000 NOT BETWEEN 1 AND c.next_document - 1""",
    "batch_origin, of a batch that is none, or corrects one that still stands":
        """SELECT o.batch_id::text FROM batch_origin o LEFT JOIN batch b USING (district, batch_id)
           LEFT JOIN batch e ON e.district = o.district AND e.batch_id = o.of_batch
           GROUP BY o.batch_id HAVING count(*) > 1 OR count(b.batch_id) = 0 OR count(e.batch_id) = 0
               OR bool_or(b.policy_id <> e.policy_id OR b.period <> e.period OR (o.kind = 1 AND e.state <> 11))""",
    "top_up, not an item of its batch and for an item of the batch that this tops up":
        """SELECT concat(t.item_id, ' for ', t.of_item) FROM top_up t
           FULL JOIN (SELECT i.district, i.item_id, i.batch_id, i.amount_fen, i.person_id, o.of_batch
                      FROM item i JOIN batch_origin o USING (district, batch_id) WHERE o.kind = 2) i USING (district, item_id)
           LEFT JOIN item e ON e.district = t.district AND e.item_id = t.of_item
           GROUP BY 1, t.item_id HAVING count(*) > 1 OR t.item_id IS NULL OR count(i.batch_id) = 0
               OR NOT bool_and(t.batch_id = i.batch_id AND t.amount_fen = i.amount_fen
                               AND e.batch_id IS NOT DISTINCT FROM i.of_batch AND e.person_id IS NOT DISTINCT FROM i.person_id)""",
    "top_up, one for an item that is skipped or there twice":
        """SELECT of_item::text FROM top_up GROUP BY district, of_item
           HAVING count(*) <> max(ordinal) OR count(DISTINCT ordinal) <> count(*)""",
    "recovery_case, without a recovery, or more than once":
        """SELECT concat(district, ' case ', case_id) FROM (
             SELECT district, case_id, count(*) AS times, max(cause) AS cause FROM recovery_case GROUP BY 1, 2) c
           FULL JOIN (SELECT district, case_id, min(cause) AS least, max(cause) AS most FROM recovery GROUP BY 1, 2) r
             USING (district, case_id)
           WHERE c.times IS DISTINCT FROM 1 OR (r.least, r.most) IS DISTINCT FROM (c.cause, c.cause)""",
    "recovery_case, of a person for whom none of its payments was":
        """SELECT concat(c.district, ' case ', c.case_id) FROM recovery_case c JOIN recovery r USING (district, case_id)
           LEFT JOIN item i ON i.district = r.district AND i.item_id = r.item_id
           LEFT JOIN merged_person m ON m.person_id = c.person_id
           GROUP BY c.district, c.case_id
           HAVING NOT coalesce(bool_or(c.person_id IN (i.person_id, i.payee_id)
                                       OR m.other_id IN (i.person_id, i.payee_id)), false)""",
    "recovery, not of a payment, or not what its receipts are":
        """SELECT concat(coalesce(r.district, e.district), ' recovery ', recovery_id) FROM (
             SELECT district, recovery_id, count(*) AS times, max(batch_id) AS batch_id, max(item_id) AS item_id,
                    max(state) AS state, max(due_fen) AS due, max(received_fen) AS received FROM recovery GROUP BY 1, 2) r
           FULL JOIN (SELECT district, recovery_id, sum(amount_fen) AS fen, max(batch_id) AS batch_id, max(item_id) AS item_id
                      FROM recovery_receipt GROUP BY 1, 2) e USING (district, recovery_id)
           LEFT JOIN item i ON i.district = r.district AND i.item_id = r.item_id
           WHERE r.times IS DISTINCT FROM 1 OR i.batch_id IS DISTINCT FROM r.batch_id OR r.due > i.amount_fen
              OR r.received <> coalesce(e.fen, 0) OR (r.state = 5) <> (r.received = r.due)
              OR (e.batch_id, e.item_id) <> (r.batch_id, r.item_id)""",
    "recovery_receipt, not what the ledger has of it":
        """SELECT concat(batch_id, ' receipts') FROM (
             SELECT district, batch_id, sum(amount_fen) AS fen, count(*) - count(DISTINCT receipt) AS twice FROM recovery_receipt
             GROUP BY 1, 2) r
           FULL JOIN (SELECT district, batch_id, sum(amount_fen) AS fen FROM ledger WHERE step = 'recovered' GROUP BY 1, 2) l
             USING (district, batch_id)
           WHERE r.fen IS DISTINCT FROM l.fen OR r.twice > 0""",
    "recovery, of what was paid besides and not charged to its lines as it was decided":
        """SELECT concat(batch_id, ' paid besides') FROM (
             SELECT r.district, r.batch_id, sum(r.due_fen) AS fen FROM recovery r
             WHERE r.reference <> 0 AND r.state <> 1 GROUP BY 1, 2) r
           FULL JOIN (SELECT district, batch_id, sum(amount_fen) AS fen FROM ledger WHERE step = 'paid_besides' GROUP BY 1, 2) l
             USING (district, batch_id)
           WHERE r.fen IS DISTINCT FROM l.fen
           UNION ALL
           SELECT concat('reference ', r.reference) FROM recovery r LEFT JOIN attempt a USING (district, reference)
           WHERE r.reference <> 0 AND (a.reference, a.batch_id, a.amount_fen, r.item_id, r.cause)
                 IS DISTINCT FROM (r.reference, r.batch_id, r.due_fen, r.reference / 100, 6::smallint)""",
    "arrival, confirmed without its receipt, or a receipt for one that is not":
        """SELECT concat(a.district, ' arrival ', a.arrival_id) FROM arrival a
           LEFT JOIN recovery_receipt r USING (district, receipt)
           GROUP BY a.district, a.arrival_id
           HAVING count(*) > 1 OR NOT bool_and((a.state = 2) = (r.receipt IS NOT NULL))
               OR NOT bool_and(a.state <> 2 OR (r.recovery_id, r.amount_fen) = (a.recovery_id, a.amount_fen))""",
    "arrival, one that no entry of the counter covers":
        """SELECT concat(a.district, ' arrival ', a.arrival_id) FROM arrival a LEFT JOIN district_counter c USING (district)
           WHERE c.district IS NULL OR a.arrival_id % 10000000 NOT BETWEEN 1 AND c.next_recovery - 1""",
    "merged_person, not both ways":
        """SELECT concat(m.person_id, ' and ', m.other_id) FROM merged_person m
           LEFT JOIN merged_person o ON (o.person_id, o.other_id) = (m.other_id, m.person_id)
           GROUP BY m.person_id, m.other_id HAVING count(*) > 1 OR count(o.person_id) = 0""",
    "attachment, of a batch that is none":
        """SELECT a.batch_id::text FROM attachment a LEFT JOIN batch b USING (district, batch_id) WHERE b.batch_id IS NULL""",
}

GATEWAY = {
    "restore_epoch, not one row that was raised by each restore, or behind the newest file":
        """SELECT concat(count(*), ' rows, epoch ', max(epoch)) FROM restore_epoch
           HAVING count(*) <> 1 OR max(epoch) <> 1 + (SELECT count(*) FROM restored)
               OR max(epoch) < coalesce((SELECT max(split_part(file_id, '-', 3)::integer) FROM file), 0)""",
    "restored, not one for each epoch": raised(1),
    "restored_bank, not one for each bank and each restore that is finished":
        """SELECT concat(r.restore_id, ' bank ', coalesce(b.bank_code, c.bank_code)) FROM restored r
           CROSS JOIN (SELECT bank_code FROM bank WHERE address <> '') b
           FULL JOIN (SELECT restore_id, bank_code, count(*) AS times FROM restored_bank GROUP BY 1, 2) c USING (restore_id, bank_code)
           WHERE r.restore_id IS NULL OR r.finished_at IS NULL OR c.times IS DISTINCT FROM 1""",
    "found_reference, not what its submission does not send":
        """SELECT concat(s.request_id, ' reference ', f.reference) FROM (
             SELECT submission_id, max(request_id) AS request_id, max(withheld) AS rows, max(withheld_fen) AS fen FROM submission
             WHERE withheld > 0 GROUP BY 1) s
           FULL JOIN (SELECT i.submission_id, count(*) AS rows, sum(i.amount_fen) AS fen, max(f.reference) AS reference
                      FROM (SELECT DISTINCT district, reference FROM found_reference) f
                      LEFT JOIN instruction i USING (district, reference) GROUP BY 1) f USING (submission_id)
           WHERE (s.rows, s.fen) IS DISTINCT FROM (f.rows, f.fen)""",
    "found_reference, not what its outcome says":
        """SELECT concat(f.reference, ' number ', f.number) FROM found_reference f
           LEFT JOIN instruction i USING (district, reference)
           LEFT JOIN outcome o ON o.district = f.district AND o.reference = f.reference
                              AND o.state = (ARRAY[0, 1, 2, 4])[f.state]
           WHERE f.state > 1 AND (o.reference IS NULL OR o.booked_on IS DISTINCT FROM f.booked_on
                                  OR (f.state <> 3 AND f.amount_fen <> i.amount_fen))""",
    "request, kept more than once":
        "SELECT request_id FROM request GROUP BY request_id HAVING count(*) > 1",
    "bank, of an agreement that is none, or more than once":
        """SELECT bank_code FROM (SELECT bank_code, count(*) AS times FROM bank GROUP BY 1) b
           FULL JOIN (SELECT DISTINCT bank_code FROM agreement) a USING (bank_code) WHERE b.times IS DISTINCT FROM 1""",
    "agreement, with statements and not reconciled through the same day as all others":
        """SELECT a.agreement_no FROM agreement a
           LEFT JOIN (SELECT agreement_no, max(day) AS day FROM statement WHERE complete GROUP BY 1) s USING (agreement_no)
           WHERE (s.day IS NOT NULL AND a.reconciled_through IS NULL) OR a.reconciled_through < s.day
              OR a.reconciled_through <> (SELECT max(reconciled_through) FROM agreement)""",
    "reconciliation_case, not what its history says":
        """SELECT concat('case ', case_id) FROM (
             SELECT case_id, count(*) AS times, max(events) AS events, max(state) AS state, max(decision) AS decision,
                    bool_or((state = 5) <> (closed_on IS NOT NULL)) AS open_and_closed FROM reconciliation_case GROUP BY 1) c
           FULL JOIN (SELECT case_id, count(*) AS events, max(event_no) AS last, min(event_no) AS first,
                             count(DISTINCT event_no) AS kinds, (array_agg(to_state ORDER BY event_no DESC))[1] AS state
                      FROM case_event GROUP BY 1) e USING (case_id)
           WHERE c.times IS DISTINCT FROM 1 OR c.open_and_closed OR c.events IS DISTINCT FROM e.events
              OR (e.first, e.last, e.kinds) <> (1, e.events, e.events) OR e.state <> c.state""",
    "case_event, one that does not begin where the one before ended":
        """SELECT concat('case ', case_id, ' event ', event_no) FROM (
             SELECT case_id, event_no, from_state, coalesce(lag(to_state) OVER (PARTITION BY case_id ORDER BY event_no), 0) AS before
             FROM case_event) e
           WHERE from_state <> before""",
    "reconciliation_case, its open money is not the sum of its legs":
        """SELECT concat('case ', case_id) FROM (SELECT case_id, sum(open_fen) AS fen FROM reconciliation_case GROUP BY 1) c
           FULL JOIN (SELECT case_id, sum(fen) AS fen FROM (
                        SELECT debit_case AS case_id, amount_fen AS fen FROM suspense_entry WHERE debit_case IS NOT NULL
                        UNION ALL SELECT credit_case, -amount_fen FROM suspense_entry WHERE credit_case IS NOT NULL) l
                      GROUP BY 1) s USING (case_id)
           WHERE c.fen IS NULL OR c.fen <> coalesce(s.fen, 0)""",
    "reconciliation_case, of an agreement or a bank that is none":
        """SELECT concat('case ', c.case_id) FROM reconciliation_case c LEFT JOIN agreement a USING (agreement_no)
           LEFT JOIN bank b ON b.bank_code = c.bank_code
           WHERE b.bank_code IS NULL
              OR (c.agreement_no <> '' AND (a.district, a.bank_code) IS DISTINCT FROM (c.district, c.bank_code))""",
    "reconciliation_case, a missing statement on a day of which it is there":
        # A day on which nothing was paid has no statement, and is closed all the same.
        """SELECT concat('case ', c.case_id) FROM reconciliation_case c JOIN agreement a USING (agreement_no)
           LEFT JOIN statement s USING (agreement_no, day)
           WHERE c.kind = 'STATEMENT_MISSING'
             AND (c.subject <> c.day::text
                  OR (c.state = 5) <> coalesce(s.complete, c.day <= a.reconciled_through, false))""",
    "suspense_entry, on a day of an agreement on which nothing differed":
        """SELECT concat('entry ', e.entry_id) FROM suspense_entry e
           LEFT JOIN (SELECT DISTINCT agreement_no, day FROM difference) d USING (agreement_no, day)
           WHERE d.day IS NULL AND e.debit_case IS NULL AND e.credit_case IS NULL""",
    "line_apart, without its line, or on a day on which nothing differed":
        """SELECT concat('reference ', a.reference, ' line ', a.line) FROM line_apart a
           LEFT JOIN statement_line l USING (district, reference, statement_id, line)
           LEFT JOIN statement s ON s.statement_id = a.statement_id
           LEFT JOIN (SELECT DISTINCT agreement_no, day, reference FROM difference) d
             ON d.agreement_no = s.agreement_no AND d.day = s.day AND d.reference = a.reference
           GROUP BY a.reference, a.line HAVING count(*) > 1 OR count(l.line) = 0 OR count(d.reference) = 0""",
}

AUDITLOG = {
    "entry, one that comes twice":
        "SELECT index::text FROM entry GROUP BY index HAVING count(*) > 1",
    "tree_head, not one for each append":
        """SELECT concat('size ', size) FROM tree_head h
           FULL JOIN (SELECT appended_at, max(index) + 1 AS size FROM entry GROUP BY 1) e USING (appended_at, size)
           GROUP BY size HAVING count(h.root) <> 1 OR bool_or(e.size IS NULL)""",
}
