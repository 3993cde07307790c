-- The bytes of one file that is kept.
SELECT bytes FROM archive_file
WHERE district = $1::integer AND batch_id = $2::bigint AND package_no = $3::integer AND run = $4::integer
  AND part = $5::smallint AND file_no = $6::integer
