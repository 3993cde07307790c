-- After a restore, before the first start: no number of the lost timeline is ever used again. What we number begins anew behind the
-- epoch's own 10^12: chunks of outcomes, which dispatch follows by their numbers, cases and what else has an id that is told to others.
WITH raised AS (UPDATE restore_epoch SET epoch = epoch + 1 RETURNING epoch),
head AS (UPDATE outcome_head SET number = (SELECT epoch FROM raised) * 1000000000000::bigint)
SELECT epoch,
       setval('reconciliation_case_case_id_seq', epoch * 1000000000000::bigint),
       setval('difference_difference_id_seq', epoch * 1000000000000::bigint),
       setval('outcome_chunk_chunk_id_seq', epoch * 1000000000000::bigint),
       setval('notification_batch_batch_id_seq', epoch * 1000000000000::bigint),
       setval('submission_submission_id_seq', epoch * 1000000000000::bigint),
       setval('statement_statement_id_seq', epoch * 1000000000000::bigint),
       setval('suspense_entry_entry_id_seq', epoch * 1000000000000::bigint)
FROM raised
