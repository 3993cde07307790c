-- Packages within the caller's districts and fields, by batch and number: sealed ones (2), and behind those of its batch the one
-- that is being made (1), where the batch is closed. One that is sealed has its batch's key, so that the page is found by it.
SELECT x.district, x.batch_id, x.package_no, x.state, b.policy_id, b.period, x.closed_on, x.sealed_on, x.sealed_at, x.keep_until,
       x.manifest_sha256, x.former_sha256, x.files, x.records, x.bytes, x.why, x.failures, x.place
FROM (
  SELECT district, batch_id, package_no, 2 AS state, closed_on, sealed_on, sealed_at, keep_until, manifest_sha256,
         former_sha256, files, records, bytes, '' AS why, 0 AS failures, package_no AS place
  FROM archive
  UNION ALL
  SELECT district, batch_id, package_no, 1, NULL, NULL, NULL, NULL, NULL, former_sha256, 0, 0, 0, why,
         CASE WHEN worker = '' THEN taken ELSE taken - 1 END, 2147483647
  FROM archive_work) x
JOIN batch b ON b.district = x.district AND b.batch_id = x.batch_id
WHERE ($1::boolean OR x.district = ANY ($2::integer[])) AND ($3::boolean OR b.field = ANY ($4::text[]))
  AND ($5::integer = 0 OR x.district = $5::integer) AND ($6::bigint = 0 OR x.batch_id = $6::bigint)
  AND ($7::smallint = 0 OR x.state = $7::smallint) AND ($8::date IS NULL OR x.keep_until < $8::date)
  AND (x.state = 2 OR b.state = 9)
  AND (x.batch_id, x.place) > ($9::bigint, $10::integer)
ORDER BY x.batch_id, x.place LIMIT $11::integer
