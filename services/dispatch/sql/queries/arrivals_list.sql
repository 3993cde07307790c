-- One page of money given back, by id; ids begin with the district.
SELECT arrival_id, district, receipt, amount_fen, arrived_on, note, state, recorded_by, recovery_id, decision
FROM arrival
WHERE ($1::boolean OR district = ANY ($2::integer[])) AND ($3::integer = 0 OR district = $3::integer)
  AND ($4::smallint = 0 OR state = $4::smallint) AND arrival_id > $5::bigint
ORDER BY arrival_id LIMIT $6::integer
