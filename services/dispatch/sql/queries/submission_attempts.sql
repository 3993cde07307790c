-- The attempts of one submission, with what their item is to the ledger.
SELECT a.reference, a.amount_fen FROM attempt a
WHERE a.district = $1::integer AND a.batch_id = $2::bigint AND a.chunk = $3::integer AND a.submission_no = $4::smallint
  AND a.reference BETWEEN $5::bigint * 100 AND $6::bigint * 100 + 99
ORDER BY a.reference
