-- Only what was passed down to nobody, once.
UPDATE fund_receipt SET cancelled_on = $3::date
WHERE district = $1::integer AND receipt_id = $2::bigint AND passed_fen = 0 AND cancelled_on IS NULL
