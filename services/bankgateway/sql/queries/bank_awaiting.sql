-- What each bank owes an answer for, also 0: over rows of files that are open, by the index of the unfinished. Files whose rest is
-- told to be unknown are no longer news that is awaited.
SELECT b.bank_code, coalesce(sum(f.row_count - f.final_rows), 0)::bigint
FROM bank b
LEFT JOIN file f ON f.bank_code = b.bank_code AND f.state IN (2, 3) AND f.unknown_on IS NULL
WHERE b.address <> ''
GROUP BY b.bank_code
