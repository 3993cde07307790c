-- Seconds since the oldest chunk was taken that is in no file yet, in a file that is open, in a file that awaits results: by when it
-- was taken, which no retry moves.
-- no district: it is about all of them; the partial indexes hold only what waits.
SELECT coalesce(greatest(0, extract(epoch FROM now() - unpacked)), 0)::bigint,
       coalesce(greatest(0, extract(epoch FROM now() - files_open)), 0)::bigint,
       coalesce(greatest(0, extract(epoch FROM now() - awaiting)), 0)::bigint
FROM (SELECT
        (SELECT min(accepted_at) FROM submission WHERE file_id IS NULL AND withheld < row_count) AS unpacked,
        (SELECT min(s.accepted_at) FROM file f JOIN submission s ON s.file_id = f.file_id WHERE f.state IN (1, 2)) AS files_open,
        (SELECT min(s.accepted_at) FROM file f JOIN submission s ON s.file_id = f.file_id WHERE f.state IN (2, 3)) AS awaiting) AS oldest
