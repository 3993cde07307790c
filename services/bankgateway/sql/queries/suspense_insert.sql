-- All legs of one step in one statement; a row cannot be unbalanced.
INSERT INTO suspense_entry (agreement_no, district, day, debit, debit_case, credit, credit_case, amount_fen, step)
SELECT * FROM unnest($1::text[], $2::integer[], $3::date[], $4::smallint[], $5::bigint[], $6::smallint[], $7::bigint[],
                     $8::bigint[], $9::text[])
