-- A new revision makes every cached copy unreachable, at the moment of commit.
UPDATE policy SET revision = revision + 1, latest_version = greatest(latest_version, $2) WHERE policy_id = $1
