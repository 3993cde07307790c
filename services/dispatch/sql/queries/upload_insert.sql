-- The chunk's answer, and what its items claimed, in the transaction that stores them.
INSERT INTO upload_chunk (district, batch_id, chunk, content_hash, rows, rows_fen, accepted, accepted_fen, first_row, last_row,
                          first_item, last_item, claim_keys, edge_keys, edge_holders)
VALUES ($1::integer, $2::bigint, $3::integer, $4::bytea, $5::integer, $6::bigint, $7::integer, $8::bigint, $9::bigint,
        $10::bigint, $11::bigint, $12::bigint, $13::uuid[], $14::uuid[], $15::integer[])
