-- A statement that the server refuses.
SELECT nothing_here FROM thing
