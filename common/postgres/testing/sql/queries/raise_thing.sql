-- Locks one row, for tests of conflicts.
UPDATE thing SET amount_fen = amount_fen + $3 WHERE district = $1 AND id = $2
