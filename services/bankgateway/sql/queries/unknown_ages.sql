-- Rows that are told to be unknown, by days since their file was sent (or, of what a bank had before a restore, found): counted by
-- file, and row by row only for what is withheld of chunks that were asked about.
-- no district: it is about all of them; the partial indexes file_unfinished and submission_withheld hold only what may be unknown.
SELECT greatest(0, least($1::date - since, 11)) AS days, sum(unknown)::bigint
FROM (SELECT sent_on AS since, row_count - final_rows AS unknown FROM file WHERE state IN (2, 3) AND unknown_on IS NOT NULL
      UNION ALL
      SELECT s.looked_up_on, count(DISTINCT f.reference)
      FROM submission s
      CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
      JOIN found_reference f ON f.district = s.district AND f.reference = r.reference
      WHERE s.withheld > 0 AND s.asked_on IS NOT NULL
        AND NOT EXISTS (SELECT FROM outcome o
                        WHERE o.district = s.district AND o.reference = f.reference AND o.state IN (1, 2, 4))
      GROUP BY s.submission_id, s.looked_up_on) AS told
GROUP BY days
