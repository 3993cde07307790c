-- Who stood in a batch of the period before, and stands in none of this period's: one set statement, so that nobody is dropped
-- in silence. A policy's roster may be parted over several batches (one for each town): all of a period count, cancelled ones
-- and those of missed amounts do not, and who is listed under another batch of this period is asked about there.
WITH before AS (
  SELECT batch_id, first_item, first_item + declared_count - 1 AS last_item FROM batch b
  WHERE district = $1::integer AND policy_id = $3::text AND period = $4::text AND state NOT IN (1, 11)
    AND NOT EXISTS (SELECT FROM batch_origin o WHERE o.district = $1::integer AND o.batch_id = b.batch_id AND o.kind = 2)),
accounted AS MATERIALIZED (
  SELECT i.person_id
  FROM batch b JOIN item i ON i.district = $1::integer AND i.batch_id = b.batch_id
                          AND i.item_id BETWEEN b.first_item AND b.first_item + b.declared_count - 1
  WHERE b.district = $1::integer AND b.policy_id = $3::text AND b.period = $5::text AND b.state <> 11
  UNION
  SELECT d.person_id FROM batch b JOIN departure d ON d.district = $1::integer AND d.batch_id = b.batch_id
  WHERE b.district = $1::integer AND b.policy_id = $3::text AND b.period = $5::text AND b.state <> 11)
INSERT INTO departure (district, batch_id, person_id, masked_name, amount_fen)
SELECT $1::integer, $2::bigint, i.person_id, min(i.masked_name), sum(i.amount_fen)::bigint
FROM before JOIN item i ON i.district = $1::integer AND i.batch_id = before.batch_id
                       AND i.item_id BETWEEN before.first_item AND before.last_item
LEFT JOIN accounted a ON a.person_id = i.person_id
WHERE a.person_id IS NULL
GROUP BY i.person_id
