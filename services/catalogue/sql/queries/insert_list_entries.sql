-- All entries in one statement.
INSERT INTO published_entry (district, edition, policy_id, version)
SELECT $1::integer, $2::integer, t.policy_id, t.version FROM unnest($3::text[], $4::integer[]) AS t (policy_id, version)
