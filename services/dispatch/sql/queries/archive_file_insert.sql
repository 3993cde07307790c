-- The files of one step, in one statement.
INSERT INTO archive_file (district, batch_id, package_no, run, part, file_no, records, byte_size, sha256, bytes)
SELECT $1::integer, $2::bigint, $3::integer, $4::integer, f.part, f.file_no, f.records, f.byte_size, f.sha256, f.bytes
FROM unnest($5::smallint[], $6::integer[], $7::integer[], $8::integer[], $9::bytea[], $10::bytea[])
  AS f (part, file_no, records, byte_size, sha256, bytes)
