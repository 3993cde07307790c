-- Approved, in force, and not public: the longest overdue first. The key of the page is (day, policy, version).
SELECT policy_id, version, effective_from FROM policy_version
WHERE state = 3 AND effective_from < $1::date - $2::integer
  AND (effective_from, policy_id, version) > ($3::date, $4, $5::integer)
ORDER BY effective_from, policy_id, version LIMIT $6
