-- What a person did with a case, under the bank's lock.
UPDATE reconciliation_case
SET state = $2, owner = $3, decision = $4, reason = $5, evidence = $6, matched_case = $7, proposed_by = $8, decided_by = $9,
    closed_on = $10, events = events + 1
WHERE case_id = $1
RETURNING events
