-- The outcomes of one chunk in its order, by key.
SELECT o.reference, o.outcome_no, o.state, o.reason, o.booked_on, o.amount_fen
FROM outcome_chunk c
CROSS JOIN LATERAL unnest(c.item_references, c.outcome_nos) WITH ORDINALITY AS t (reference, outcome_no, place)
JOIN outcome o ON o.district = $2 AND o.reference = t.reference AND o.outcome_no = t.outcome_no
WHERE c.number = $1
ORDER BY t.place
