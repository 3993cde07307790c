-- Two that replace the schedule at once would mix their rows.
SELECT pg_advisory_xact_lock(hashtext('catalogue.rollout'))
