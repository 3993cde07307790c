-- A page of what the viewer may see, each with the version in force today; drafts are their department's own. The end of a
-- version is the day before the next approved one.
SELECT p.policy_id, p.name_zh, p.name_en, p.field, p.department_id, p.district, p.slot_unit, p.key_kind, p.level, p.basis,
       p.confidence, p.region, p.latest_version, p.revision,
       v.version, v.state, v.effective_from, v.end_on, v.rules, v.submitted_by, v.approved_at, v.published_on,
       v.rejection_reason, v.revision, v.next_from
FROM policy p
LEFT JOIN LATERAL (
  SELECT w.*, (SELECT min(n.effective_from) FROM policy_version n
               WHERE n.policy_id = w.policy_id AND n.state IN (3, 4) AND n.effective_from > w.effective_from) AS next_from
  FROM policy_version w
  WHERE w.policy_id = p.policy_id AND w.effective_from <= $1
    AND (w.state = 4 OR (w.state = 3 AND NOT $2::boolean))
  ORDER BY w.effective_from DESC LIMIT 1
) v ON v.end_on IS NULL OR v.end_on >= $1
WHERE p.policy_id > $3 AND ($4 = '' OR p.field = $4)
  AND (NOT $2::boolean OR EXISTS (SELECT FROM policy_version q WHERE q.policy_id = p.policy_id AND q.state = 4))
  AND ($5::boolean OR p.department_id = $6
       OR EXISTS (SELECT FROM policy_version q WHERE q.policy_id = p.policy_id AND q.state IN (3, 4)))
ORDER BY p.policy_id LIMIT $7
