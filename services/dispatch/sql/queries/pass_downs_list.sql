-- What one receipt was passed down to, in the order of writing.
SELECT district, pass_down_id, receipt_id, to_district, line_id, amount_fen, document, passed_on, booked
FROM pass_down
WHERE district = $1::integer AND receipt_id = $2::bigint AND pass_down_id > $3::bigint
ORDER BY pass_down_id LIMIT $4::integer
