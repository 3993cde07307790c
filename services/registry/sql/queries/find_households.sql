-- Read after the upsert, in the same transaction: it returns nothing for rows that it left alone.
SELECT n.i, h.household_id, h.head_person_id
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(household_no_index, i)
JOIN household h ON h.household_no_index = n.household_no_index;
