-- Nothing new is sent to a suspended bank; what was sent is still asked about.
UPDATE bank SET suspended = $2, state_reason = $3 WHERE bank_code = $1
