-- As chunk_outcomes, where the references are neighbours: one stretch of the index holds them all.
SELECT o.reference, o.outcome_no, o.state, o.reason, o.booked_on, o.amount_fen
FROM outcome_chunk c
CROSS JOIN LATERAL unnest(c.item_references, c.outcome_nos) WITH ORDINALITY AS t (reference, outcome_no, place)
JOIN (SELECT reference, outcome_no, state, reason, booked_on, amount_fen FROM outcome
      WHERE district = $2 AND reference BETWEEN $3 AND $4) AS o
  ON o.reference = t.reference AND o.outcome_no = t.outcome_no
WHERE c.number = $1
ORDER BY t.place
