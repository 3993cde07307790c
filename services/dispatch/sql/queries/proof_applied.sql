-- The applied chunk that told an item's newest outcome; the outcome names it, so that nothing is searched. What this service
-- itself concluded (a submission that the gateway refused) was in none.
SELECT o.applied_in, c.audit_id
FROM outcome o JOIN applied_chunk c ON c.number = o.applied_in
WHERE o.district = $1::integer AND o.reference BETWEEN $2::bigint * 100 AND $2::bigint * 100 + 99
ORDER BY o.reference DESC, o.outcome_no DESC LIMIT 1
