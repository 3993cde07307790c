-- The refused rows of one uploaded chunk; its rows are consecutive.
SELECT r.row_number, r.ordinal, r.reason, r.detail, r.amount_fen
FROM upload_chunk u
JOIN rejection r ON r.district = u.district AND r.batch_id = u.batch_id AND r.chunk = u.chunk
                AND r.row_number BETWEEN u.first_row AND u.last_row
WHERE u.district = $1::integer AND u.batch_id = $2::bigint AND u.chunk = $3::integer
ORDER BY r.row_number, r.ordinal
