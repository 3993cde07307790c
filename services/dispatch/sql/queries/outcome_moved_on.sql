-- Of attempts that two persons decided were paid after all: those whose item went on meanwhile, by a later attempt, by a repair
-- chunk that waits, or by being given up. What was reserved for them is no longer theirs to be paid from.
SELECT r.reference
FROM unnest($2::bigint[]) AS r (reference)
JOIN attempt a ON a.district = $1::integer AND a.reference = r.reference
WHERE EXISTS (SELECT FROM attempt t
              WHERE t.district = $1::integer AND t.reference > r.reference AND t.reference <= r.reference / 100 * 100 + 99)
   OR EXISTS (SELECT FROM exception x
              WHERE x.district = $1::integer AND x.item_id = r.reference / 100 AND NOT x.resolved)
   OR EXISTS (SELECT FROM chunk c
              WHERE c.district = $1::integer AND c.batch_id = a.batch_id AND c.repair AND c.stage IN (1, 2, 9)
                AND r.reference / 100 = ANY (c.item_ids))
