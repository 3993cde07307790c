-- A superuser need not become a member of the roles that it makes.
SELECT rolsuper FROM pg_roles WHERE rolname = current_user
