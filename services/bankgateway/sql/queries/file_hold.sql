-- A stopped file that no worker is asking about at this moment; while it is locked none can begin to.
SELECT district, bank_code FROM file WHERE file_id = $1 AND state = 2 AND holder = '' FOR UPDATE
