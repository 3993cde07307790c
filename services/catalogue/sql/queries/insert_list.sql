-- Editions are numbered under the division's lock.
INSERT INTO published_list (district, edition, published_on, sha256, entry_count) VALUES ($1, $2, $3, $4, $5)
