-- Told by each replica that sees it.
INSERT INTO restored_bank (restore_id, bank_code) VALUES ($1, $2) ON CONFLICT DO NOTHING
