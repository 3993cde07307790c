-- An alias points to the person that stands, never to another alias: those of the merged record move along.
UPDATE person SET merged_into = $1, has_alias = false WHERE person_id = $2 OR merged_into = $2;
