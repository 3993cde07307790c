-- One arrival, locked: it is decided once.
SELECT arrival_id, district, receipt, amount_fen, arrived_on, note, state, recorded_by, recovery_id, decision
FROM arrival WHERE district = $1::integer AND arrival_id = $2::bigint FOR UPDATE
