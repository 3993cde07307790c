-- One row for up to 2000 outcomes of one district; its number comes once it has committed.
INSERT INTO outcome_chunk (district, item_references, outcome_nos, paid, failed, unknown, returned)
VALUES ($1, $2::bigint[], $3::smallint[], $4, $5, $6, $7)
RETURNING chunk_id
