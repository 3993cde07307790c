-- The log: entries, the complete nodes above them, and a head for each append. Nothing here is ever changed or deleted, and
-- the runtime role could not: it may read and insert. `district` does not lead the keys, as it does elsewhere: the tree
-- is one over all districts, and an entry stands for a chunk of items, so that rows are few.
CREATE TABLE entry (
  index         bigint PRIMARY KEY CHECK (index >= 0),
  producer      text COLLATE "C" NOT NULL CHECK (producer <> ''),
  restore_epoch smallint NOT NULL CHECK (restore_epoch BETWEEN 0 AND 9),
  number        bigint NOT NULL CHECK (number > 0),
  leaf_hash     bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  district      integer NOT NULL CHECK (district BETWEEN 100000 AND 999999),
  kind          text COLLATE "C" NOT NULL CHECK (kind <> ''),
  subject       text COLLATE "C" NOT NULL,
  subtree_root  bytea CHECK (octet_length(subtree_root) = 32),
  appended_at   timestamptz NOT NULL,
  body          bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 65535),
  UNIQUE (producer, restore_epoch, number)
);
CREATE INDEX entry_leaf_hash ON entry (leaf_hash, index);
CREATE INDEX entry_subtree_root ON entry (subtree_root, index) WHERE subtree_root IS NOT NULL;
CREATE INDEX entry_subject ON entry (subject, index);
CREATE INDEX entry_kind ON entry (kind, index);
CREATE INDEX entry_district ON entry (district, index);

-- Level 1 and above; level 0 is entry.leaf_hash.
CREATE TABLE tree_node (
  level smallint NOT NULL CHECK (level BETWEEN 1 AND 62),
  index bigint NOT NULL CHECK (index >= 0),
  hash  bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (level, index)
);

CREATE TABLE tree_head (
  size        bigint PRIMARY KEY CHECK (size > 0),
  root        bytea NOT NULL CHECK (octet_length(root) = 32),
  appended_at timestamptz NOT NULL
);

GRANT SELECT, INSERT ON entry, tree_node, tree_head TO :app;
