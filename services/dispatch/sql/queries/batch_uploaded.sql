-- All rows that came, refused ones included: what a declaration is compared with.
SELECT coalesce(sum(rows), 0)::bigint, coalesce(sum(rows_fen), 0)::text, coalesce(sum(accepted), 0)::bigint,
       coalesce(sum(accepted_fen), 0)::bigint
FROM upload_chunk WHERE district = $1::integer AND batch_id = $2::bigint
