-- The highest number that exists.
SELECT number FROM outcome_head
