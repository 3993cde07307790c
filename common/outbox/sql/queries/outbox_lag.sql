-- What the log has not acknowledged: rows without a number, and numbered ones past the acknowledged number.
SELECT count(*), coalesce(ceil(extract(epoch FROM clock_timestamp() - min(created_at))), 0)::bigint
FROM (SELECT created_at FROM outbox
      UNION ALL
      SELECT n.created_at FROM outbox_number n JOIN outbox_relay r USING (producer)
      WHERE n.number > r.acked_number) AS waiting
