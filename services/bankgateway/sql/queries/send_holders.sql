-- Whoever holds a file now; the reader knows which of them are dead.
SELECT DISTINCT holder FROM file WHERE state IN (1, 2) AND holder <> ''
