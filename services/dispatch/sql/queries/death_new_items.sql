-- Of items that were found, those that no recovery is about yet, or only one that was cancelled.
SELECT u.item_id FROM unnest($2::bigint[]) AS u (item_id)
WHERE NOT EXISTS (SELECT FROM recovery r WHERE r.district = $1::integer AND r.item_id = u.item_id AND r.state <> 7
                  AND r.reference = 0)
