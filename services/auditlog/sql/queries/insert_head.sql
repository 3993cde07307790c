-- One head for each append, so that the log can show which trees it ever had.
INSERT INTO tree_head (size, root, appended_at) VALUES ($1, $2, $3)
