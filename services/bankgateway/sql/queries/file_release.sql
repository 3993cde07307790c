-- Still SENDING: whoever takes it next asks the bank first.
UPDATE file SET holder = '', reason = $3, changed_at = now() WHERE file_id = $1 AND fence = $2
