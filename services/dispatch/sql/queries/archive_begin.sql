-- Where a package begins: behind the former one of its batch, and up to what the gateway has told by now. The batch's row is
-- locked and closed, so that nothing of it is told meanwhile.
WITH former AS (
  SELECT package_no, manifest_sha256, chunks_through, outcomes_through, last_paid_on FROM archive
  WHERE district = $1::integer AND batch_id = $2::bigint ORDER BY package_no DESC LIMIT 1)
UPDATE archive_work w
SET package_no = coalesce((SELECT package_no FROM former), 0) + 1,
    former_sha256 = (SELECT manifest_sha256 FROM former),
    chunks_after = coalesce((SELECT chunks_through FROM former), 0),
    chunks_through = greatest(coalesce((SELECT chunks_through FROM former), 0),
                              coalesce((SELECT max(chunk) FROM chunk
                                        WHERE district = $1::integer AND batch_id = $2::bigint), 0)),
    outcomes_after = coalesce((SELECT outcomes_through FROM former), 0),
    outcomes_through = greatest(coalesce((SELECT outcomes_through FROM former), 0),
                                coalesce((SELECT applied FROM outcome_cursor WHERE gateway = $4::text), 0)),
    last_paid_on = (SELECT last_paid_on FROM former)
WHERE district = $1::integer AND batch_id = $2::bigint AND fence = $3::bigint
RETURNING package_no, chunks_after, chunks_through, outcomes_after, outcomes_through
