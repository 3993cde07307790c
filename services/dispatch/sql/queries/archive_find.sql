-- One sealed package of a batch whose scope was looked at, the newest for number 0; with its number in the outbox.
SELECT a.package_no, a.run, a.chunks_after, a.chunks_through, a.outcomes_after, a.outcomes_through, a.closed_on, a.sealed_on,
       a.sealed_at, a.keep_until, a.manifest, a.manifest_sha256, a.former_sha256, a.files, a.records, a.bytes,
       coalesce(n.number, 0)
FROM archive a LEFT JOIN outbox_number n ON n.outbox_id = a.audit_id
WHERE a.district = $1::integer AND a.batch_id = $2::bigint AND ($3::integer = 0 OR a.package_no = $3::integer)
ORDER BY a.package_no DESC LIMIT 1
