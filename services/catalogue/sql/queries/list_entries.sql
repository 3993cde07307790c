-- An edition as it was: approved rules never change, so they are read from their version.
SELECT p.policy_id, p.name_zh, p.name_en, p.field, p.department_id, p.district, p.slot_unit, p.key_kind, p.level, p.basis,
       p.confidence, p.region, p.latest_version, p.revision,
       v.version, v.state, v.effective_from, v.end_on, v.rules, v.submitted_by, v.approved_at, v.published_on,
       v.rejection_reason, v.revision,
       (SELECT min(n.effective_from) FROM policy_version n
        WHERE n.policy_id = v.policy_id AND n.state IN (3, 4) AND n.effective_from > v.effective_from) AS next_from
FROM published_entry e
JOIN policy p ON p.policy_id = e.policy_id
JOIN policy_version v ON v.policy_id = e.policy_id AND v.version = e.version
WHERE e.district = $1 AND e.edition = $2 AND e.policy_id > $3
ORDER BY e.policy_id LIMIT $4
