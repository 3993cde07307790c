-- All versions of a policy, or one; the end is the day before the next approved one.
SELECT v.policy_id, v.version, v.state, v.effective_from, v.end_on, v.rules, v.submitted_by, v.approved_at, v.published_on,
       v.rejection_reason, v.revision,
       (SELECT min(n.effective_from) FROM policy_version n
        WHERE n.policy_id = v.policy_id AND n.state IN (3, 4) AND n.effective_from > v.effective_from) AS next_from
FROM policy_version v WHERE v.policy_id = $1 AND ($2::integer = 0 OR v.version = $2) ORDER BY v.version DESC
