-- Ends the open exceptions of items that go out again; stopped ones (3) never come back.
UPDATE exception SET resolved = true
WHERE district = $1::integer AND item_id = ANY ($2::bigint[]) AND NOT resolved AND bucket = 4
RETURNING item_id
