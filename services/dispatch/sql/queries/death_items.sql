-- What of one batch went to people who were dead: sent, and not known to have failed or come back. One pass over the batch's
-- range of the key, for all the deaths of a page; an index on the person would be one more indexed row for each payment.
SELECT i.item_id, i.person_id, i.amount_fen
FROM item i
JOIN LATERAL (SELECT reference FROM attempt t
              WHERE t.district = $1::integer AND t.reference BETWEEN i.item_id * 100 AND i.item_id * 100 + 99
              ORDER BY reference DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.district = $1::integer AND p.reference = a.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
WHERE i.district = $1::integer AND i.batch_id = $2::bigint AND i.item_id BETWEEN $3::bigint AND $4::bigint
  AND i.person_id = ANY ($5::bigint[]) AND coalesce(o.state, 0) NOT IN (2, 4)
ORDER BY i.item_id
