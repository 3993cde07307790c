-- All ledger rows of one step in one statement: a handful for each chunk, never one for each item.
INSERT INTO ledger (district, line_id, entry_id, batch_id, chunk, step, reason, debit, credit, amount_fen, business_date)
SELECT $1::integer, r.line_id, r.entry_id, r.batch_id, r.chunk, r.step, r.reason, r.debit, r.credit, r.amount_fen, $2::date
FROM unnest($3::bigint[], $4::uuid[], $5::bigint[], $6::integer[], $7::text[], $8::text[], $9::smallint[], $10::smallint[],
            $11::bigint[]) AS r (line_id, entry_id, batch_id, chunk, step, reason, debit, credit, amount_fen)
