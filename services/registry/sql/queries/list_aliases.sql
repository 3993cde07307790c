-- Only for people with the flag has_alias: few.
SELECT merged_into, person_id FROM person WHERE merged_into = ANY ($1::bigint[]) ORDER BY merged_into, person_id;
