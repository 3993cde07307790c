-- The fence that we saw, or another worker was faster. A packed file is SENDING before its first byte leaves.
UPDATE file SET fence = fence + 1, holder = $3, state = 2, sent_on = coalesce(sent_on, $4), changed_at = now()
WHERE file_id = $1 AND fence = $2
RETURNING fence, district, agreement_no, bank_code, business_date, row_count, total_fen, byte_size, part_count, sha256,
          signature, signer_key_id, sent_on,
          (SELECT a.refuses_duplicates FROM agreement a WHERE a.agreement_no = file.agreement_no),
          (SELECT NOT a.suspended AND NOT b.suspended AND $4 BETWEEN a.valid_from AND a.valid_to
           FROM agreement a JOIN bank b USING (bank_code) WHERE a.agreement_no = file.agreement_no),
          reason
