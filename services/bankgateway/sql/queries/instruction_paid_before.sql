-- An earlier attempt at one of these items whose last outcome is PAID. Only asked of chunks that pay again.
SELECT i.reference
FROM unnest($2::bigint[]) AS r (reference)
JOIN instruction i ON i.district = $1 AND i.reference > r.reference / 100 * 100 AND i.reference < r.reference
JOIN LATERAL (SELECT o.state FROM outcome o WHERE o.district = $1 AND o.reference = i.reference
              ORDER BY o.outcome_no DESC LIMIT 1) last ON last.state = 1
LIMIT 1
