"""Statements that join the rows of payments in one database both ways and give what does not fit; `joins` runs them.

Each reads every row once: no subquery that asks again for each row of another table, and arrays are unnested in a list of
columns, so that hash and merge joins are what there is. What is rare beside payments is in `rare_joins`.
"""

# What the gateway numbers begins anew behind this with each restore epoch.
NUMBERS_OF_EPOCH = 10**12

# Each statement gives the places where something does not fit, as text; nothing where all does.
DISPATCH = {
    "batch, stored more than once":
        "SELECT batch_id::text FROM batch GROUP BY batch_id HAVING count(*) > 1",
    "batch, released by who entered it":
        "SELECT batch_id::text FROM batch WHERE created_by = released_by",
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
           WHERE b.state NOT IN (1, 11) AND (u.rows, u.first) <> (b.declared_count, 1)
              OR b.state NOT IN (1, 11) AND u.last <> b.declared_count
                 AND NOT EXISTS (SELECT FROM rejection r WHERE r.district = b.district AND r.batch_id = b.batch_id
                                 AND r.reason IN ('ROW_NUMBER_REPEATED', 'ROW_NUMBER_BEYOND_DECLARED'))""",
    "item, without its batch or outside of it":
        """SELECT i.item_id::text FROM item i LEFT JOIN batch b USING (district, batch_id)
           WHERE b.batch_id IS NULL OR i.item_id NOT BETWEEN b.first_item AND b.first_item + b.declared_count - 1""",
    "claim, not what the uploads took":
        """SELECT coalesce(w.claim_key, c.claim_key)::text FROM (
             SELECT claim_key, count(*) AS times, min(first_item) AS first_item, max(last_item) AS last_item FROM (
               SELECT unnest(u.claim_keys) AS claim_key, u.first_item, u.last_item
               FROM upload_chunk u JOIN batch b USING (district, batch_id) WHERE b.state <> 11) u GROUP BY claim_key) w
           FULL JOIN (SELECT claim_key, count(*) AS times, min(owner) AS owner, sum(holders) AS holders FROM claim
                      WHERE owner > 0 GROUP BY claim_key) c USING (claim_key)
           LEFT JOIN item i ON i.item_id = c.owner
           WHERE w.times IS DISTINCT FROM 1 OR c.times IS DISTINCT FROM 1 OR c.holders <> 1 OR i.item_id IS NULL
              OR c.owner NOT BETWEEN w.first_item AND w.last_item""",
    "claim on an exclusion edge, not held by as many items as the uploads say":
        """SELECT coalesce(w.claim_key, c.claim_key)::text FROM (
             SELECT claim_key, sum(holders) AS holders FROM (
               SELECT unnest(u.edge_keys) AS claim_key, unnest(u.edge_holders) AS holders
               FROM upload_chunk u JOIN batch b USING (district, batch_id) WHERE b.state <> 11) u GROUP BY claim_key) w
           FULL JOIN (SELECT claim_key, count(*) AS times, sum(holders) AS holders FROM claim WHERE owner < 0
                      GROUP BY claim_key) c USING (claim_key)
           WHERE w.holders IS DISTINCT FROM c.holders OR c.times IS DISTINCT FROM 1""",
    "movement, not what the items have become":
        """WITH last_attempt AS (SELECT reference / 100 AS item_id, max(reference) AS reference FROM attempt GROUP BY 1),
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
             SELECT batch_id, 23, count(*), sum(amount_fen) FROM attempt
             WHERE NOT social_card AND reference % 100 = 1 GROUP BY 1),
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
        """SELECT concat(e.item_id, ' number ', e.exception_no) FROM exception e
           LEFT JOIN item i USING (district, item_id, batch_id)
           GROUP BY 1, i.item_id HAVING i.item_id IS NULL OR count(*) > 1""",
    "exception, an item that has left in more than one way":
        """SELECT item_id::text FROM exception WHERE NOT resolved AND bucket <> 11 GROUP BY item_id HAVING count(*) > 1""",
    "chunk, one that overlaps another":
        """SELECT concat(batch_id, ' chunk ', chunk) FROM (
             SELECT batch_id, chunk, first_item, lag(last_item) OVER (PARTITION BY batch_id ORDER BY first_item, chunk) AS before
             FROM chunk WHERE NOT repair) c
           WHERE first_item <= before""",
    "chunk, items that are in none":
        """SELECT concat('batch ', batch_id, ' item ', item_id) FROM (
             SELECT district, batch_id, item_id, is_item,
                    max(last_item) OVER (PARTITION BY district, batch_id ORDER BY item_id, is_item) AS until FROM (
               SELECT district, batch_id, first_item AS item_id, last_item, false AS is_item FROM chunk WHERE NOT repair
               UNION ALL SELECT district, batch_id, item_id, NULL, true FROM item) x) i
           JOIN batch b USING (district, batch_id)
           WHERE is_item AND b.state NOT IN (1, 11) AND (until IS NULL OR until < item_id)""",
    "chunk, stored more than once":
        "SELECT concat(batch_id, ' chunk ', chunk) FROM chunk GROUP BY batch_id, chunk HAVING count(*) > 1",
    "chunk, not done although nothing waits any more":
        """SELECT concat(c.batch_id, ' chunk ', c.chunk) FROM chunk c JOIN batch b USING (district, batch_id)
           WHERE (b.state IN (8, 9) AND c.stage <> 4) OR (b.state = 7 AND c.stage NOT IN (4, 9))""",
    "chunk, a repair that did nothing with an item":
        """SELECT concat(c.batch_id, ' chunk ', c.chunk, ' item ', c.item_id)
           FROM (SELECT district, batch_id, chunk, unnest(item_ids) AS item_id FROM chunk WHERE stage = 4) c
           LEFT JOIN (SELECT DISTINCT district, batch_id, chunk, reference / 100 AS item_id FROM attempt) a
             USING (district, batch_id, chunk, item_id)
           LEFT JOIN (SELECT DISTINCT district, item_id FROM exception) e ON e.district = c.district AND e.item_id = c.item_id
           WHERE a.item_id IS NULL AND e.item_id IS NULL""",
    "attempt, not of an item of its chunk":
        """SELECT a.reference::text FROM attempt a LEFT JOIN chunk c USING (district, batch_id, chunk)
           LEFT JOIN (SELECT DISTINCT district, batch_id, chunk, unnest(item_ids) AS item_id FROM chunk WHERE repair) r
             ON r.district = a.district AND r.batch_id = a.batch_id AND r.chunk = a.chunk AND r.item_id = a.reference / 100
           WHERE c.chunk IS NULL OR a.reference / 100 NOT BETWEEN c.first_item AND c.last_item
              OR (c.repair AND r.item_id IS NULL)""",
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
             SELECT number, reference, state, count(*) AS times FROM (
               SELECT number, unnest(item_references) AS reference, unnest(states) AS state FROM applied_chunk) r
             GROUP BY 1, 2, 3) c
           FULL JOIN (SELECT applied_in AS number, reference, state, count(*) AS times FROM outcome WHERE applied_in <> 0
                      GROUP BY 1, 2, 3) o USING (number, reference, state)
           WHERE c.times IS DISTINCT FROM o.times""",
    "applied_chunk, a number that is missing or there twice":
        f"""SELECT concat(min(number), ' to ', max(number)) FROM applied_chunk GROUP BY number / {NUMBERS_OF_EPOCH}
            HAVING count(*) IS DISTINCT FROM max(number % {NUMBERS_OF_EPOCH}) OR count(DISTINCT number) <> count(*)
            UNION ALL
            SELECT concat('the last ', max(number)) FROM applied_chunk
            HAVING max(number) IS DISTINCT FROM nullif((SELECT max(applied) FROM outcome_cursor WHERE gateway = 'bankgateway'), 0)""",
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
              OR (step = 'returned' AND (debit, credit) NOT IN ((2, 5), (6, 5)))
              OR (step = 'paid_besides' AND (debit, credit) NOT IN ((5, 2), (5, 9)))""",
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
    "archive, none of a closed batch, and none that is being made":
        """SELECT b.batch_id::text FROM batch b WHERE b.state = 9
             AND NOT EXISTS (SELECT FROM archive a WHERE a.batch_id = b.batch_id)
             AND NOT EXISTS (SELECT FROM archive_work w WHERE w.batch_id = b.batch_id)""",
    "archive, not what its files are":
        """SELECT concat(a.batch_id, ' package ', a.package_no) FROM archive a
           LEFT JOIN (SELECT batch_id, package_no, run, count(*) AS files, sum(records) AS records, sum(byte_size) AS bytes,
                             string_agg(concat(encode(sha256, 'hex'), '  data/',
                                               (ARRAY['roster', 'refused', 'departures', 'notice', 'objections', 'reviews',
                                                      'exceptions', 'instructions', 'outcomes', 'statements', 'movements',
                                                      'ledger', 'recoveries'])[part],
                                               '/', lpad(file_no::text, 6, '0'), E'.jsonl\n'), '' ORDER BY part, file_no) AS list
                      FROM archive_file GROUP BY 1, 2, 3) f USING (batch_id, package_no, run)
           WHERE (a.files, a.records, a.bytes) IS DISTINCT FROM (f.files, f.records, f.bytes)
              OR sha256(a.manifest) <> a.manifest_sha256
              OR right(convert_from(a.manifest, 'UTF8'), 65)
                 <> concat(encode(sha256(convert_to(f.list, 'UTF8')), 'hex'), E'\n')""",
    "archive, two of one number, or one that does not follow the former":
        """SELECT concat(a.batch_id, ' package ', a.package_no) FROM archive a
           LEFT JOIN archive f ON f.batch_id = a.batch_id AND f.package_no = a.package_no - 1
           GROUP BY a.batch_id, a.package_no
           HAVING count(*) > 1 OR min(encode(a.former_sha256, 'hex')) IS DISTINCT FROM min(encode(f.manifest_sha256, 'hex'))""",
    "archive_file, other bytes than it says":
        """SELECT concat(batch_id, ' part ', part, ' file ', file_no) FROM archive_file
           WHERE length(bytes) <> byte_size OR sha256(bytes) <> sha256""",
    "archive_file, other records than the books have":
        """SELECT concat(batch_id, ' part ', part) FROM (
             SELECT a.batch_id, f.part, sum(f.records) AS records
             FROM archive a JOIN archive_file f USING (batch_id, package_no, run)
             WHERE NOT EXISTS (SELECT FROM archive_work w WHERE w.batch_id = a.batch_id) AND f.part IN (1, 2, 8, 9)
             GROUP BY 1, 2) f
           FULL JOIN (
             SELECT batch_id, 1 AS part, count(*) AS records FROM item GROUP BY 1
             UNION ALL SELECT batch_id, 2, count(*) FROM rejection GROUP BY 1
             UNION ALL SELECT batch_id, 8, sum(records) FROM (
               SELECT batch_id, count(*) AS records FROM submission GROUP BY 1
               UNION ALL SELECT batch_id, count(*) FROM attempt GROUP BY 1) s GROUP BY 1
             UNION ALL SELECT a.batch_id, 9, count(*) FROM outcome o JOIN attempt a USING (district, reference) GROUP BY 1) r
           USING (batch_id, part)
           WHERE f.records IS DISTINCT FROM r.records AND batch_id IN (
             SELECT a.batch_id FROM archive a JOIN batch b USING (batch_id) WHERE b.state = 9
               AND NOT EXISTS (SELECT FROM archive_work w WHERE w.batch_id = a.batch_id))""",
}

GATEWAY = {
    "instruction, not what its submission holds":
        """SELECT concat(submission_id, ' reference ', reference) FROM (
             SELECT submission_id, reference, count(*) AS times FROM (
               SELECT submission_id, unnest(item_references) AS reference FROM submission) r GROUP BY 1, 2) s
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
           FULL JOIN (SELECT coalesce(file_id, 'in no file') AS file_id, sum(row_count - withheld) AS rows,
                             sum(total_fen - withheld_fen) AS fen,
                             max(agreement_no) AS agreement_no, max(district) AS district, max(bank_code) AS bank_code,
                             count(DISTINCT (agreement_no, district, bank_code)) AS kinds FROM submission
                      WHERE file_id IS NOT NULL OR withheld < row_count GROUP BY 1) s
           USING (file_id)
           WHERE f.times IS DISTINCT FROM 1 OR f.rows IS DISTINCT FROM s.rows OR f.fen IS DISTINCT FROM s.fen OR s.kinds <> 1
              OR (f.agreement_no, f.district, f.bank_code) <> (s.agreement_no, s.district, s.bank_code)""",
    "file, not all its parts once":
        """SELECT file_id FROM file FULL JOIN (SELECT file_id, count(*) AS parts, min(part) AS first,
                                                      max(part) AS last FROM file_part GROUP BY 1) p USING (file_id)
           WHERE part_count IS DISTINCT FROM parts OR first <> 0 OR last <> parts - 1""",
    "file, its final rows are not those with an end":
        """SELECT f.file_id FROM file f JOIN submission s USING (file_id) JOIN instruction i USING (submission_id)
           LEFT JOIN (SELECT DISTINCT reference FROM outcome WHERE state <> 3) o USING (reference)
           WHERE NOT EXISTS (SELECT FROM found_reference h WHERE h.district = i.district AND h.reference = i.reference)
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
             SELECT reference, outcome_no, count(*) AS times FROM (
               SELECT unnest(item_references) AS reference, unnest(outcome_nos) AS outcome_no FROM outcome_chunk) r
             GROUP BY 1, 2) c
           FULL JOIN (SELECT reference, outcome_no, count(*) AS times FROM outcome GROUP BY 1, 2) o USING (reference, outcome_no)
           WHERE c.times IS DISTINCT FROM 1 OR o.times IS DISTINCT FROM 1""",
    "outcome_chunk, a number that is missing or there twice":
        f"""SELECT concat(min(number), ' to ', max(number)) FROM outcome_chunk GROUP BY number / {NUMBERS_OF_EPOCH}
            HAVING count(*) IS DISTINCT FROM max(number % {NUMBERS_OF_EPOCH}) OR count(DISTINCT number) <> count(*)
            UNION ALL
            SELECT concat(count(*), ' heads, the last number ', max(number)) FROM outcome_head
            HAVING count(*) <> 1 OR max(number) % {NUMBERS_OF_EPOCH} <> 0
                   AND max(number) <> (SELECT coalesce(max(number), 0) FROM outcome_chunk)""",
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
             SELECT reference, count(*) AS times, max(fen) AS fen, max(last_four) AS last_four FROM (
               SELECT unnest(item_references) AS reference, unnest(amounts_fen) AS fen, unnest(last_fours) AS last_four
               FROM notification_batch) r
             GROUP BY 1) n
           FULL JOIN (SELECT i.reference, i.amount_fen AS fen, i.last_four FROM instruction i
                      JOIN submission s USING (submission_id) JOIN agreement g USING (agreement_no)
                      JOIN outcome o ON o.district = i.district AND o.reference = i.reference AND o.state = 1
                      WHERE NOT g.bank_notifies) p USING (reference)
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
    # What a statement itself told stands in neither count, so that both differ from the rows by the same number; a day of
    # which it told everything has no row.
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
           WHERE b.times > 1 OR r.reported IS NULL
              OR r.reported - coalesce(b.reported, 0) <> coalesce(m.matched, 0) - coalesce(b.matched, 0)
              OR b.matched > b.reported""",
}
