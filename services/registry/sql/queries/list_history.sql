-- By the day of the event, the newest first; of one day, the last recorded first. A merged record's events are those of
-- the person. A person's history is tens of rows, so it is sorted, not indexed.
SELECT e.event_no, e.happened_on, e.recorded_at, e.kind, e.effective, e.account_version, e.village_code,
  e.other_person_id, e.source, a.card_last4, a.card_state
FROM person_event e
LEFT JOIN account a ON a.person_id = e.person_id AND a.account_version = e.account_version
WHERE e.person_id = ANY ($1::bigint[])
  AND ($2::date IS NULL OR (e.happened_on, e.event_no) < ($2::date, $3::bigint))
ORDER BY e.happened_on DESC, e.event_no DESC
LIMIT $4;
