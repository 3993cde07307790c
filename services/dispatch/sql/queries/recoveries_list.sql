-- One page of recoveries within the caller's districts and fields, by id; ids begin with the district.
SELECT r.recovery_id, r.case_id, r.district, r.batch_id, r.item_id, r.cause, r.state, r.due_fen, r.received_fen, r.reason,
       r.opened_by, r.opened_on, r.approved_by, r.notice, r.due_on, r.document, r.write_off_by, r.decision, r.reference
FROM recovery r JOIN batch b ON b.district = r.district AND b.batch_id = r.batch_id
WHERE ($1::boolean OR r.district = ANY ($2::integer[])) AND ($3::boolean OR b.field = ANY ($4::text[]))
  AND ($5::integer = 0 OR r.district = $5::integer) AND ($6::bigint = 0 OR r.batch_id = $6::bigint)
  AND ($7::bigint = 0 OR r.case_id = $7::bigint) AND ($8::smallint = 0 OR r.state = $8::smallint)
  AND r.recovery_id > $9::bigint
ORDER BY r.recovery_id LIMIT $10::integer
