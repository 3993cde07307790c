-- Numbers what has committed, densely. Under the lock of chunk_lock_head.
WITH fresh AS (
  SELECT chunk_id, row_number() OVER (ORDER BY chunk_id) AS place
  FROM (SELECT chunk_id FROM outcome_chunk WHERE number IS NULL ORDER BY chunk_id LIMIT 500) AS c
), numbered AS (
  UPDATE outcome_chunk o SET number = h.number + f.place
  FROM fresh f, outcome_head h WHERE o.chunk_id = f.chunk_id
  RETURNING 1
)
SELECT count(*) FROM numbered
