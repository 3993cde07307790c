-- The next edition of a division has no row to lock yet.
SELECT pg_advisory_xact_lock(hashtext('catalogue.published_list'), $1)
