-- The attempt behind an item's newest proof, and the entry that commits to it.
SELECT a.reference, a.chunk, s.audit_id
FROM attempt a
JOIN submission s ON s.district = a.district AND s.batch_id = a.batch_id AND s.chunk = a.chunk
                 AND s.submission_no = a.submission_no
WHERE a.district = $1::integer AND a.reference BETWEEN $2::bigint * 100 AND $2::bigint * 100 + 99
ORDER BY a.reference DESC LIMIT 1
