-- What the people on watch see of the work that waits: how much, and how long the oldest has been due.
-- no district: it is about all of them; the partial index chunk_to_do holds only what is to do.
SELECT stage, count(*), (extract(epoch FROM max(now() - not_before)) * 1000)::bigint
FROM chunk WHERE stage IN (1, 2, 3) AND not_before <= now() GROUP BY stage
