-- The lines of one part of a statement that are none of their reference's payment.
INSERT INTO line_apart (district, statement_id, reference, line)
SELECT $1, $2, r.reference, r.line FROM unnest($3::bigint[], $4::bigint[]) AS r (reference, line)
