-- What a chunk of outcomes meets: the attempts by key, and their items for the audit leaf.
SELECT a.reference, a.batch_id, a.chunk, a.amount_fen, i.person_id, i.village, i.masked_name
FROM attempt a
JOIN item i ON i.district = $1::integer AND i.item_id = a.reference / 100
WHERE a.district = $1::integer AND a.reference = ANY ($2::bigint[])
