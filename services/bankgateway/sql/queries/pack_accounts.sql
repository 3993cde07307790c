-- One chunk at a time, so that memory does not grow with the file.
SELECT accounts FROM submission WHERE submission_id = $1
