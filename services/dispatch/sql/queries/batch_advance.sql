-- The state that was seen under the lock must still be the state. An event that leaves a batch in its state does not make it younger.
UPDATE batch SET state = $4::smallint, state_since_on = CASE WHEN state = $4::smallint THEN state_since_on ELSE $5::date END,
       reason = CASE WHEN $6::text = '' THEN reason ELSE $6::text END
WHERE district = $1::integer AND batch_id = $2::bigint AND state = $3::smallint
