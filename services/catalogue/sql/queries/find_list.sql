-- One edition, or the newest.
SELECT district, edition, published_on, sha256, entry_count FROM published_list
WHERE district = $1 AND ($2::integer = 0 OR edition = $2) ORDER BY edition DESC LIMIT 1
