-- Seals a package. Its number is taken by its key: two can never be sealed under one.
INSERT INTO archive (district, batch_id, package_no, run, chunks_after, chunks_through, outcomes_after, outcomes_through,
                     closed_on, sealed_on, last_paid_on, keep_until, manifest, manifest_sha256, former_sha256, files, records,
                     bytes, audit_id)
VALUES ($1::integer, $2::bigint, $3::integer, $4::integer, $5::integer, $6::integer, $7::bigint, $8::bigint, $9::date,
        $10::date, $11::date, $12::date, $13::bytea, $14::bytea, $15::bytea, $16::bigint, $17::bigint, $18::bigint, $19::uuid)
