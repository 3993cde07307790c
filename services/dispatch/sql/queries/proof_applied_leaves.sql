-- The leaves under one applied chunk, in the order of its arrays.
SELECT u.reference, i.person_id, i.village, i.amount_fen, i.masked_name, u.state, i.batch_id
FROM applied_chunk c, unnest(c.item_references, c.states) WITH ORDINALITY AS u (reference, state, ord)
JOIN item i ON i.district = $1::integer AND i.item_id = u.reference / 100
WHERE c.number = $2::bigint AND c.district = $1::integer
ORDER BY u.ord
