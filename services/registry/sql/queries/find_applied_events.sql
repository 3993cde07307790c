-- Which events of a chunk were taken before; asked under the locks of their people.
SELECT n.i, e.content_mac
FROM unnest($1::bytea[]) WITH ORDINALITY AS n(event_index, i)
JOIN applied_event e ON e.event_index = n.event_index;
