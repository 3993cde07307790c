-- Since when a chunk has been due in its step, however often it was put back meanwhile: how late payments are. NULL: since
-- `not_before`, as a release before this one leaves it, so that both may work on one batch side by side.
SET LOCAL lock_timeout = '5s';
ALTER TABLE chunk ADD COLUMN due_since timestamptz;
