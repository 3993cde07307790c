-- What came back for one recovery.
SELECT receipt, amount_fen, received_on, recorded_by, recorded_on FROM recovery_receipt
WHERE district = $1::integer AND recovery_id = $2::bigint ORDER BY receipt
