-- The oldest file to send or to ask about that nobody living holds. A packed one only while it may be sent today.
SELECT f.file_id, f.fence, f.state
FROM file f
JOIN agreement a ON a.agreement_no = f.agreement_no
JOIN bank b ON b.bank_code = f.bank_code
WHERE f.state IN (1, 2)
  AND (f.holder = '' OR f.holder = ANY ($2::text[])
       OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = f.holder))
  AND f.file_id <> ALL ($3::text[]) AND f.bank_code <> ALL ($4::text[])
  AND (f.state = 2 OR (NOT a.suspended AND NOT b.suspended AND $1 BETWEEN a.valid_from AND a.valid_to))
ORDER BY f.file_number
LIMIT 1
FOR UPDATE OF f SKIP LOCKED
