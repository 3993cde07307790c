-- What each bucket holds: what came minus what went, over a few rows for each chunk.
SELECT b.bucket, sum(b.items)::bigint, sum(b.fen)::bigint, sum(b.from_nowhere)::bigint, sum(b.fen_from_nowhere)::bigint
FROM (SELECT to_bucket AS bucket, items, amount_fen AS fen,
             CASE WHEN from_bucket = 0 THEN items ELSE 0 END AS from_nowhere,
             CASE WHEN from_bucket = 0 THEN amount_fen ELSE 0 END AS fen_from_nowhere
      FROM movement WHERE district = $1::integer AND batch_id = $2::bigint
      UNION ALL
      SELECT from_bucket, -items, -amount_fen, 0, 0
      FROM movement WHERE district = $1::integer AND batch_id = $2::bigint) b
GROUP BY b.bucket
