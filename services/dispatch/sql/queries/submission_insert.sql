-- The sealed bytes are durable before they are sent, so that a repeated sending is the same to the byte. All of a chunk at once.
INSERT INTO submission (district, batch_id, chunk, submission_no, request_id, agreement_no, rows, amount_fen, envelope,
                        sent_on, audit_id)
SELECT $1::integer, $2::bigint, $3::integer, s.submission_no, s.request_id, s.agreement_no, s.rows, s.amount_fen, s.envelope,
       $4::date, $5::uuid
FROM unnest($6::smallint[], $7::text[], $8::text[], $9::integer[], $10::bigint[], $11::bytea[])
     AS s (submission_no, request_id, agreement_no, rows, amount_fen, envelope)
