-- While they are held no outcome is written and no case decided; others may hold them beside us. An item's earlier attempts can
-- have gone to any bank.
SELECT 1 FROM bank ORDER BY bank_code FOR SHARE
