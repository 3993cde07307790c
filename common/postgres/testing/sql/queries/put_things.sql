-- A chunk in one round trip: arrays are unnested side by side, the district is one for all.
INSERT INTO thing (district, id, amount_fen, name, seal, token, day, at, flag, small)
SELECT $1::integer, t.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::uuid[], $7::date[],
                                    $8::timestamptz[], $9::boolean[], $10::smallint[]) AS t
