-- Passings down whose line may not have the money yet: a partial index holds these few.
SELECT district, pass_down_id, receipt_id, to_district, line_id, amount_fen, document, passed_on, booked
FROM pass_down WHERE NOT booked ORDER BY district, pass_down_id LIMIT $1::integer
