-- Counts over rows of chunks, files and days, never over payments; but for those that were found at a bank after a restore.
SELECT
  (SELECT coalesce(sum(row_count), 0) FROM submission WHERE $1 = 0 OR district = $1),
  (SELECT coalesce(sum(row_count - withheld), 0) FROM submission WHERE file_id IS NULL AND ($1 = 0 OR district = $1)),
  (SELECT count(*) FROM file WHERE state IN (1, 2) AND ($1 = 0 OR district = $1)),
  (SELECT coalesce(sum(row_count - final_rows), 0) FROM file WHERE state IN (2, 3) AND ($1 = 0 OR district = $1))
    + (SELECT count(DISTINCT f.reference) FROM found_reference f JOIN instruction i USING (district, reference)
       WHERE ($1 = 0 OR f.district = $1)
         AND NOT EXISTS (SELECT FROM outcome o
                         WHERE o.district = f.district AND o.reference = f.reference AND o.state IN (1, 2, 4))),
  c.paid, c.failed, c.unknown, c.returned,
  (SELECT coalesce(sum(lines), 0) FROM statement WHERE complete AND ($1 = 0 OR district = $1)),
  (SELECT count(*) FROM difference WHERE $1 = 0 OR district = $1),
  (SELECT number FROM outcome_head),
  (SELECT coalesce(sum(messages), 0) FROM notification_batch WHERE $1 = 0 OR district = $1)
FROM (SELECT coalesce(sum(paid), 0) AS paid, coalesce(sum(failed), 0) AS failed, coalesce(sum(unknown), 0) AS unknown,
             coalesce(sum(returned), 0) AS returned
      FROM outcome_chunk WHERE $1 = 0 OR district = $1) AS c
