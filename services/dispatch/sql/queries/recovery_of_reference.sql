-- The recovery of an attempt that was paid besides, whatever became of it.
SELECT recovery_id FROM recovery WHERE district = $1::integer AND reference = $2::bigint AND reference <> 0
