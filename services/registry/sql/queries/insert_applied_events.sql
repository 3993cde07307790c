-- The key refuses an event that another chunk takes at the same moment for another person.
INSERT INTO applied_event (event_index, content_mac, person_id)
SELECT n.event_index, n.content_mac, n.person_id
FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS n(event_index, content_mac, person_id)
ORDER BY n.event_index;
