-- An order for a year's end is refused by the unique index where the line has one; nothing comes back then.
INSERT INTO budget_order (district, order_id, kind, line_id, to_line_id, amount_fen, document, reason, requested_by, requested_on)
VALUES ($1::integer, $2::bigint, $3::smallint, $4::bigint, nullif($5::bigint, 0), $6::bigint, $7::text, $8::text, $9::text, $10::date)
ON CONFLICT DO NOTHING
RETURNING order_id
