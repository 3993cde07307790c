-- What a chunk of outcomes meets: the attempts, their newest outcome so far, and their items for the audit leaf.
SELECT a.reference, a.batch_id, a.chunk, a.amount_fen, coalesce(o.outcome_no, 0), coalesce(o.state, 0),
       i.person_id, i.village, i.masked_name
FROM unnest($2::bigint[]) AS r (reference)
JOIN attempt a ON a.district = $1::integer AND a.reference = r.reference
JOIN item i ON i.district = $1::integer AND i.item_id = r.reference / 100
LEFT JOIN LATERAL (SELECT outcome_no, state FROM outcome p
                   WHERE p.district = $1::integer AND p.reference = r.reference
                   ORDER BY outcome_no DESC LIMIT 1) o ON true
