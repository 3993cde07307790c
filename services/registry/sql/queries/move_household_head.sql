-- Where the merged record was the head of a household, the kept one is now.
UPDATE household h SET head_person_id = $1
FROM person p WHERE p.person_id = $2 AND h.household_id = p.household_id AND h.head_person_id = $2;
