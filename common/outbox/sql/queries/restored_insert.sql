-- In the transaction that raises the epoch.
INSERT INTO restored (restore_id, epoch, kept_through) VALUES ($1, $2, $3)
