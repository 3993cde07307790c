-- Batches that may have paid for a month after a death: by their creation, which an index keeps for paid batches alone, and by
-- their period, as exactly as its text tells; the version's rule judges. $3 is the month of the earliest death.
-- no district: whoever died may have been paid by any.
SELECT district, batch_id, policy_id, period, rule, first_item, declared_count, created_on
FROM batch
WHERE state IN (7, 8, 9) AND created_on >= $1::date AND batch_id > $2::bigint
  AND (period = 'LIFE' OR CASE WHEN period ~ '^[0-9]{4}-[0-9]{2}$' THEN period > $3::text
                               ELSE left(period, 4) >= left($3::text, 4) END)
ORDER BY batch_id LIMIT $4::integer
