-- The statements on which lines of one submission stand, and those of days on which the bank reported something of it as booked,
-- whether they have a line of it or not: a day without a complete statement must be seen to have none.
WITH own_references AS MATERIALIZED (
  SELECT s.agreement_no, r.reference FROM submission s, unnest(s.item_references) AS r (reference)
  WHERE s.request_id = $2::text AND s.district = $1::integer),
own AS MATERIALIZED (
  SELECT l.statement_id, count(*) AS lines, coalesce(sum(l.amount_fen) FILTER (WHERE l.debit), 0) AS debit_fen,
         coalesce(sum(l.amount_fen) FILTER (WHERE NOT l.debit), 0) AS credit_fen
  FROM own_references r JOIN statement_line l ON l.district = $1::integer AND l.reference = r.reference
  GROUP BY l.statement_id),
days AS (
  SELECT s.agreement_no, s.day FROM own JOIN statement s ON s.statement_id = own.statement_id
  UNION
  SELECT r.agreement_no, o.booked_on
  FROM own_references r JOIN outcome o ON o.district = $1::integer AND o.reference = r.reference
  WHERE o.booked_on IS NOT NULL)
SELECT d.agreement_no, d.day, coalesce(s.complete, false), coalesce(s.lines, 0)::bigint, coalesce(s.agreed, 0)::bigint,
       coalesce(s.differences, 0)::bigint, coalesce(s.debit_fen, 0)::bigint, coalesce(s.credit_fen, 0)::bigint,
       coalesce(own.lines, 0)::bigint, coalesce(own.debit_fen, 0)::bigint, coalesce(own.credit_fen, 0)::bigint
FROM days d
LEFT JOIN statement s ON s.agreement_no = d.agreement_no AND s.day = d.day
LEFT JOIN own ON own.statement_id = s.statement_id
ORDER BY d.agreement_no, d.day
