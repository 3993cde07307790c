-- COPY as for person; one row for each person that is registered, or change that is taken.
COPY person_event (person_id, event_no, recorded_at, happened_on, kind, effective, account_version, village_code,
  other_person_id, source, content_cipher)
FROM STDIN (FORMAT binary);
