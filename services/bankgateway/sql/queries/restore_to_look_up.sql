-- A chunk that waits and of which the banks were not asked yet. Few wait: the index of those without a file is small.
SELECT s.submission_id, s.bank_code, r.reference
FROM (SELECT submission_id, bank_code, item_references FROM submission
      WHERE file_id IS NULL AND looked_up_on IS NULL
      ORDER BY submission_id LIMIT 1) AS s
CROSS JOIN LATERAL unnest(s.item_references) AS r (reference)
