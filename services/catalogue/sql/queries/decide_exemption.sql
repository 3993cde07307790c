-- The row is locked by the decision already.
UPDATE exemption SET state = $2, decided_by = $3 WHERE exemption_id = $1 AND state = 1
