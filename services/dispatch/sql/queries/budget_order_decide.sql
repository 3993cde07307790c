-- Ends an order under its lock; a CHECK refuses an approval by who requested it.
UPDATE budget_order SET state = $3::smallint, amount_fen = $4::bigint, decided_by = $5::text, decided_on = $6::date,
                        decision = $7::text
WHERE district = $1::integer AND order_id = $2::bigint AND state = 1
