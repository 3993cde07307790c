-- A range of the primary key; numbers are dense, so nothing between two of them is still to come.
SELECT number, kind, person_id, happened_on, account_version, other_person_id, recorded_at
FROM change WHERE number > $1 ORDER BY number LIMIT $2;
