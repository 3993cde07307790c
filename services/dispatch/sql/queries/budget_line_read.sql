-- What one line is for, without a lock: that never changes, and closing is looked at again under the lock.
SELECT policy_id, year, source, available_fen, closed_on FROM budget_line
WHERE district = $1::integer AND line_id = $2::bigint
