-- All differences of one step: one open case for each (agreement, kind, subject), and a repetition adds to it. $12 is what a
-- repetition makes of each state. Says which case each is, and what state it had.
INSERT INTO reconciliation_case AS c (agreement_no, bank_code, district, kind, subject, reference, day, state, priority,
                                      opened_on, due_on, occurrences, statement_fen, book_fen, events)
SELECT r.agreement_no, $1, r.district, r.kind, r.subject, r.reference, r.day, 1, r.priority, $2, r.due_on, r.occurrences,
       r.statement_fen, r.book_fen, 1
FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::date[], $9::smallint[], $10::date[],
            $11::integer[], $13::bigint[], $14::bigint[])
     AS r (agreement_no, district, kind, subject, reference, day, priority, due_on, occurrences, statement_fen, book_fen)
ORDER BY r.agreement_no, r.kind, r.subject
ON CONFLICT (bank_code, agreement_no, kind, subject) WHERE state <> 5
DO UPDATE SET occurrences = c.occurrences + excluded.occurrences, statement_fen = c.statement_fen + excluded.statement_fen,
              state = ($12::smallint[])[c.state], priority = least(c.priority, excluded.priority), events = c.events + 1
RETURNING agreement_no, kind, subject, case_id, state, events,
          coalesce((SELECT b.state FROM reconciliation_case b WHERE b.case_id = c.case_id), 0)
