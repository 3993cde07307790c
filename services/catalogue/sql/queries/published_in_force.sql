-- What a division's list holds on a day: of each of its policies the published version in force.
SELECT DISTINCT ON (p.policy_id)
       p.policy_id, p.name_zh, p.name_en, p.field, p.department_id, p.district, p.slot_unit, p.key_kind, p.level, p.basis,
       p.confidence, p.region, p.latest_version, p.revision,
       v.version, v.state, v.effective_from, v.end_on, v.rules, v.submitted_by, v.approved_at, v.published_on,
       v.rejection_reason, v.revision,
       (SELECT min(n.effective_from) FROM policy_version n
        WHERE n.policy_id = v.policy_id AND n.state IN (3, 4) AND n.effective_from > v.effective_from) AS next_from
FROM policy p
JOIN policy_version v ON v.policy_id = p.policy_id AND v.state = 4 AND v.effective_from <= $2
  AND (v.end_on IS NULL OR v.end_on >= $2)
WHERE p.district = $1
ORDER BY p.policy_id, v.effective_from DESC
