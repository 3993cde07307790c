-- The messages of one chunk of outcomes: policy, amount and last four digits of each.
INSERT INTO notification_batch (district, chunk_id, summary, item_references, amounts_fen, last_fours, messages)
VALUES ($1, $2, $3, $4::bigint[], $5::bigint[], $6::smallint[], $7)
