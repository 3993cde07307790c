-- One instruction with what it waits for; scope is in the statement, so that what is foreign does not exist.
SELECT i.district, s.agreement_no, i.amount_fen, coalesce(h.file_id, s.file_id, ''), coalesce(f.state, 0), a.valid_from, a.valid_to,
       a.suspended, b.suspended
FROM instruction i
JOIN submission s USING (submission_id)
JOIN agreement a ON a.agreement_no = s.agreement_no
JOIN bank b ON b.bank_code = s.bank_code
LEFT JOIN LATERAL (SELECT min(file_id) AS file_id FROM found_reference
                   WHERE district = i.district AND reference = i.reference) AS h ON true
LEFT JOIN file f ON f.file_id = coalesce(h.file_id, s.file_id)
WHERE i.district = $1 AND i.reference = $2 AND ($3::boolean OR i.district = ANY ($4::integer[]))
