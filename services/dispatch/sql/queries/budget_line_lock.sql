-- Locks one line in one of the caller's districts: appropriating, reserving and releasing touch its row, chunk steps never do.
SELECT policy_id, year, source, available_fen FROM budget_line
WHERE district = $1::integer AND line_id = $2::bigint FOR UPDATE
