-- Nothing new is sent under a suspended agreement.
UPDATE agreement SET suspended = $2, state_reason = $3 WHERE agreement_no = $1
