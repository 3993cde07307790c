-- Payments that a bank has from the time that the restore undid and that no chunk has asked for since, at that bank. No district:
-- it is told of the whole database, once for a restore.
SELECT f.district, f.reference, f.bank_code, f.amount_fen, count(*) OVER (), coalesce(sum(f.amount_fen) OVER (), 0)::bigint
FROM (SELECT DISTINCT ON (district, reference, bank_code) district, reference, bank_code, state, amount_fen
      FROM found_reference WHERE restore_id = $1
      ORDER BY district, reference, bank_code, number DESC) AS f
LEFT JOIN instruction i ON i.district = f.district AND i.reference = f.reference
LEFT JOIN submission s ON s.submission_id = i.submission_id
WHERE f.state IN (1, 2) AND s.bank_code IS DISTINCT FROM f.bank_code
ORDER BY f.district, f.reference, f.bank_code LIMIT $2
