-- The schedule is replaced whole.
DELETE FROM rollout_stage
