-- Where one submission went; it is one whole range of one file.
SELECT s.agreement_no, s.file_id, s.file_offset, f.sha256, f.state, f.business_date
FROM submission s LEFT JOIN file f ON f.file_id = s.file_id
WHERE s.request_id = $2::text AND s.district = $1::integer
