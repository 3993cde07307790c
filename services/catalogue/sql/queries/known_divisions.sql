-- Which of these stand already: the divisions above those of a load.
SELECT code FROM division WHERE code = ANY($1::bigint[])
