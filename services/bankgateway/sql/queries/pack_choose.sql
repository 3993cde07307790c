-- The agreement whose chunks wait longest, among those that fill a file or have waited long enough. The table of what
-- waits is small: what cannot be sent (suspended, expired) stays in it and is passed over here; so is what no bank was
-- asked about while a restore is open.
SELECT s.agreement_no, s.district, s.bank_code
FROM submission s
JOIN agreement a ON a.agreement_no = s.agreement_no AND NOT a.suspended AND $1 BETWEEN a.valid_from AND a.valid_to
JOIN bank b ON b.bank_code = s.bank_code AND NOT b.suspended
WHERE s.file_id IS NULL AND s.withheld < s.row_count
  AND (s.looked_up_on IS NOT NULL OR NOT EXISTS (SELECT FROM restored WHERE finished_at IS NULL))
GROUP BY s.agreement_no, s.district, s.bank_code
HAVING sum(s.row_count - s.withheld) >= $2 OR min(s.accepted_at) <= now() - $3::interval OR min(s.accepted_at) > now()
ORDER BY min(s.submission_id)
LIMIT 8
