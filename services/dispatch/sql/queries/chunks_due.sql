-- What the people on watch see of the work that waits: how much, and how long the oldest has been due. By `due_since` and not by
-- `not_before`, which every put-back moves: what is tried once a second for hours is hours late.
-- no district: it is about all of them; the partial index chunk_to_do holds only what is to do.
SELECT stage, count(*), (extract(epoch FROM max(now() - coalesce(due_since, not_before))) * 1000)::bigint
FROM chunk WHERE stage IN (1, 2, 3) AND coalesce(due_since, not_before) <= now() GROUP BY stage
