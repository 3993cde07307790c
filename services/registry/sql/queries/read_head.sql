-- The number of the last change; 0 when there was none.
SELECT last_change FROM numbering;
