-- Open cases by kind and age, for metrics; there are as many as people can work on.
SELECT kind, least($1::date - opened_on, 11) AS days, count(*), count(*) FILTER (WHERE coalesce(due_on, opened_on + $2::integer) < $1::date),
       coalesce(sum(open_fen) FILTER (WHERE open_fen > 0), 0), coalesce(-sum(open_fen) FILTER (WHERE open_fen < 0), 0)
FROM reconciliation_case WHERE state <> 5
GROUP BY kind, days ORDER BY kind, days
