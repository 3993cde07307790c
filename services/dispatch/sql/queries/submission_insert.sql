-- The sealed bytes are durable before they are sent, so that a repeated sending is the same to the byte.
INSERT INTO submission (district, batch_id, chunk, submission_no, request_id, agreement_no, rows, amount_fen, envelope,
                        sent_on, audit_id)
VALUES ($1::integer, $2::bigint, $3::integer, $4::smallint, $5::text, $6::text, $7::integer, $8::bigint, $9::bytea,
        $10::date, $11::uuid)
