-- Reads what the other of two serializable transactions writes.
SELECT coalesce(sum(amount_fen), 0)::bigint FROM thing WHERE district = $1
