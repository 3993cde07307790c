-- Why people left: those named, or everybody without a reason.
UPDATE departure SET reason = $4::text
WHERE district = $1::integer AND batch_id = $2::bigint
  AND CASE WHEN cardinality($3::bigint[]) = 0 THEN reason = '' ELSE person_id = ANY ($3::bigint[]) END
