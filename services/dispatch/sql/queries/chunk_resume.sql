-- Back into work under a new fence: where its payments are committed it goes on with sending them, else it is routed anew. Its
-- failures are forgotten, as a person has looked.
UPDATE chunk c SET stage = CASE WHEN s.committed THEN 3 ELSE 1 END, fence = c.fence + 1, worker = '', taken = 0, why = '',
       not_before = now(), due_since = now(), aside_on = NULL
FROM (SELECT EXISTS (SELECT FROM submission u WHERE u.district = $1::integer AND u.batch_id = $2::bigint
                     AND u.chunk = $3::integer) AS committed) s
WHERE c.district = $1::integer AND c.batch_id = $2::bigint AND c.chunk = $3::integer AND c.stage = 9
RETURNING c.stage
