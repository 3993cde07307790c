-- The kept record has an alias from now on; look-ups read aliases only where this flag stands.
UPDATE person SET has_alias = true WHERE person_id = $1;
