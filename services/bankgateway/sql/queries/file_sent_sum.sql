-- What a missing statement would show: the sum of what was sent on the day.
SELECT coalesce(sum(total_fen), 0) FROM file WHERE agreement_no = $1 AND sent_on = $2
