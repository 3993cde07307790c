-- The state that was seen must still be the state: two steps cannot both win.
UPDATE batch SET state = $4::smallint, state_since_on = $5::date,
       released_by = CASE WHEN $6::text = '' THEN released_by ELSE $6::text END
WHERE district = $1::integer AND batch_id = $2::bigint AND state = $3::smallint
RETURNING batch_id
