-- Makes the households that are new, and gives a head to those that have none. In the order of the key against deadlocks.
INSERT INTO household AS h (household_no_index, household_id, head_person_id)
SELECT n.household_no_index, n.household_id, n.head_person_id
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS n(household_no_index, household_id, head_person_id)
ORDER BY n.household_no_index
ON CONFLICT (household_no_index) DO UPDATE SET head_person_id = EXCLUDED.head_person_id
  WHERE h.head_person_id IS NULL AND EXCLUDED.head_person_id IS NOT NULL;
