-- Each belongs to the case that somebody owns; nothing else changes by it.
INSERT INTO difference (agreement_no, district, day, line, reference, kind, statement_fen, book_fen, case_id)
SELECT * FROM unnest($1::text[], $2::integer[], $3::date[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                     $8::bigint[], $9::bigint[])
