-- Locks one line: appropriating, reserving and releasing touch its row, chunk steps never do. NO KEY, since the ledger rows of
-- every chunk step refer to the line and must not wait.
SELECT policy_id, year, source, available_fen, closed_on FROM budget_line
WHERE district = $1::integer AND line_id = $2::bigint FOR NO KEY UPDATE
