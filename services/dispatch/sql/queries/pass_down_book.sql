-- The primary key books each passing down once, however many replicas try it.
INSERT INTO pass_down_booking (district, from_district, pass_down_id, line_id, booked_on)
VALUES ($1::integer, $2::integer, $3::bigint, $4::bigint, $5::date)
ON CONFLICT DO NOTHING
RETURNING pass_down_id
