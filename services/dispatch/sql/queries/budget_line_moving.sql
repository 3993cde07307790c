-- What keeps a line's year open, and what its treasury is owed: sums over its ledger, read after its row was locked. Chunk steps do not
-- wait for that lock, but they only move what is reserved and in transit here already.
SELECT coalesce(sum(CASE WHEN debit = 3 THEN amount_fen WHEN credit = 3 THEN -amount_fen END), 0)::bigint,
       coalesce(sum(CASE WHEN debit = 4 THEN amount_fen WHEN credit = 4 THEN -amount_fen END), 0)::bigint,
       coalesce(sum(CASE WHEN debit = 6 THEN amount_fen WHEN credit = 6 THEN -amount_fen END), 0)::bigint
FROM ledger WHERE district = $1::integer AND line_id = $2::bigint
