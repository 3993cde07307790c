-- The files of a package in their order, a page at a time and without their bytes: a large batch has thousands of them.
SELECT part, file_no, records, byte_size, sha256, bytes IS NULL FROM archive_file
WHERE district = $1::integer AND batch_id = $2::bigint AND package_no = $3::integer AND run = $4::integer
  AND (part, file_no) > ($5::smallint, $6::integer)
ORDER BY part, file_no LIMIT $7::integer
