-- Rules change in a draft only: what has left it keeps them, whatever the caller sends.
UPDATE policy_version
SET state = $3, effective_from = CASE WHEN state = 1 THEN $4 ELSE effective_from END,
    end_on = CASE WHEN state = 1 THEN $5 ELSE end_on END, rules = CASE WHEN state = 1 THEN $6 ELSE rules END,
    submitted_by = $7, approved_at = $8, published_on = $9, rejection_reason = $10, revision = revision + 1
WHERE policy_id = $1 AND version = $2
