-- One row for an agreement, day and direction, under the lock of cursor_lock.
INSERT INTO book_day AS b (agreement_no, day, debit, reported, matched)
SELECT * FROM unnest($1::text[], $2::date[], $3::boolean[], $4::bigint[], $5::bigint[])
ON CONFLICT (agreement_no, day, debit) DO UPDATE SET reported = b.reported + excluded.reported,
                                                     matched = b.matched + excluded.matched
