-- The state that was seen under the lock must still be the state.
UPDATE batch SET state = $4::smallint, state_since_on = $5::date, reason = CASE WHEN $6::text = '' THEN reason ELSE $6::text END
WHERE district = $1::integer AND batch_id = $2::bigint AND state = $3::smallint
