-- Under which number the relay put an entry; none while it still waits.
SELECT number FROM outbox_number WHERE outbox_id = $1::uuid
