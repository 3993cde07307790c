-- The restore that is open, and the banks whose news from before it is not read yet.
SELECT r.restore_id, b.bank_code
FROM restored r
LEFT JOIN bank b ON b.address <> ''
  AND NOT EXISTS (SELECT FROM restored_bank c WHERE c.restore_id = r.restore_id AND c.bank_code = b.bank_code)
WHERE r.finished_at IS NULL
ORDER BY r.epoch DESC, b.bank_code
