-- A restore is told once, however often the command is run.
SELECT epoch FROM restored WHERE restore_id = $1
