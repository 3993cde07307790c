-- Membership of chunks is fixed here. A chunk is the range of its items; where another upload brought rows in the middle of
-- that range, its items are listed. Stage 0 waits for release.
INSERT INTO chunk (district, batch_id, chunk, first_item, last_item, item_ids, stage)
SELECT u.district, u.batch_id, u.chunk, u.first_item, u.last_item,
       CASE WHEN u.reach >= u.first_item OR u.next_first <= u.last_item
            THEN ARRAY(SELECT i.item_id FROM item i
                       WHERE i.district = u.district AND i.item_id BETWEEN u.first_item AND u.last_item
                         AND i.batch_id = u.batch_id AND i.chunk = u.chunk ORDER BY i.item_id) END, 0
FROM (SELECT district, batch_id, chunk, first_item, last_item,
             max(last_item) OVER (ORDER BY first_item, chunk ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach,
             lead(first_item) OVER (ORDER BY first_item, chunk) AS next_first
      FROM upload_chunk WHERE district = $1::integer AND batch_id = $2::bigint AND accepted > 0) u
