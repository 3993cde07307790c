-- Appended, a row for each district of a chunk: no counter is a hot row.
INSERT INTO count_delta (district, delta_id, people, living, active_cards, legacy_only)
SELECT n.district, $1::uuid, n.people, n.living, n.active_cards, n.legacy_only
FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
  AS n(district, people, living, active_cards, legacy_only);
