-- Takes from the receipt and writes the passing down in one statement, or does neither: of two at one moment the second sees what
-- the first has left.
WITH taken AS (
  UPDATE fund_receipt SET passed_fen = passed_fen + $6::bigint
  WHERE district = $1::integer AND receipt_id = $3::bigint AND cancelled_on IS NULL AND $6::bigint <= amount_fen - passed_fen
  RETURNING receipt_id)
INSERT INTO pass_down (district, pass_down_id, receipt_id, to_district, line_id, amount_fen, document, passed_on)
SELECT $1::integer, $2::bigint, receipt_id, $4::integer, $5::bigint, $6::bigint, $7::text, $8::date FROM taken
RETURNING pass_down_id
