-- older processes may run beside this: yes

-- The gate of writes that belong to no person: keys, tags, workspaces that a mapping declares.
CREATE TABLE thing_intents (
  tenant_id TEXT NOT NULL,
  intent_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  step TEXT NOT NULL CHECK (step IN ('create', 'adjust', 'end')),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('sent', 'done', 'refused', 'unsent', 'unknown')),
  sent_at INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  finished_at INTEGER,
  facts TEXT,
  PRIMARY KEY (tenant_id, intent_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT;
CREATE UNIQUE INDEX thing_intents_open ON thing_intents (tenant_id, connection_id, kind, name) WHERE state IN ('sent', 'unknown');

-- Until when the vendor's own log was read.
ALTER TABLE lanes ADD COLUMN log_read_at INTEGER;
