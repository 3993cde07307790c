-- The lock of the policy orders all changes of its versions and edges.
SELECT policy_id, name_zh, name_en, field, department_id, district, slot_unit, key_kind, level, basis, confidence, region,
       latest_version, revision
FROM policy WHERE policy_id = $1 FOR UPDATE
