-- Whether a connection answers; reads nothing.
SELECT 1
