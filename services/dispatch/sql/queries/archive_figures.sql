-- What is to be made, for metrics: how many, how many of them failed three times or more, how long the oldest waits.
SELECT count(*), count(*) FILTER (WHERE w.taken - CASE WHEN w.worker = '' THEN 0 ELSE 1 END >= 3),
       coalesce(extract(epoch FROM now() - min(w.due_at)), 0)::bigint
FROM archive_work w JOIN batch b ON b.district = w.district AND b.batch_id = w.batch_id AND b.state = 9
