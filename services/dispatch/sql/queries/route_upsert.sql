-- Where each item of a chunk goes, one row a chunk; routing anew replaces it.
INSERT INTO route (district, batch_id, chunk, item_ids, account_versions, agreement_nos, agreements)
VALUES ($1::integer, $2::bigint, $3::integer, $4::bigint[], $5::bigint[], $6::smallint[], $7::text[])
ON CONFLICT (district, batch_id, chunk) DO UPDATE
SET item_ids = excluded.item_ids, account_versions = excluded.account_versions,
    agreement_nos = excluded.agreement_nos, agreements = excluded.agreements
