-- Once a day.
UPDATE file SET asked_on = $2, unknown_on = coalesce(unknown_on, $2) WHERE file_id = $1
