-- What of one chunk of work went to the gateway, and under which entry of the audit log.
SELECT submission_no, request_id, agreement_no, rows, amount_fen, sent_on, refused, audit_id::text FROM submission
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer ORDER BY submission_no
