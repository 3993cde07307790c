-- Chunks that wait without the banks having been asked.
SELECT count(*) FROM submission WHERE file_id IS NULL AND looked_up_on IS NULL
