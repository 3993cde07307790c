-- Statement lines that a reference has had, over all statements.
SELECT reference, debit FROM statement_line WHERE district = $1 AND reference = ANY ($2::bigint[])
