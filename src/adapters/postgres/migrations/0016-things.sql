-- older processes may run beside this: yes

-- The gate of writes that belong to no person: keys, tags, workspaces that a mapping declares.
CREATE TABLE thing_intents (
  tenant_id TEXT COLLATE "C" NOT NULL,
  intent_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  step TEXT COLLATE "C" NOT NULL CHECK (step IN ('create', 'adjust', 'end')),
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('sent', 'done', 'refused', 'unsent', 'unknown')),
  sent_at BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  finished_at BIGINT,
  facts TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, intent_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);
CREATE UNIQUE INDEX thing_intents_open ON thing_intents (tenant_id, connection_id, kind, name) WHERE state IN ('sent', 'unknown');

-- Until when the vendor's own log was read.
ALTER TABLE lanes ADD COLUMN log_read_at BIGINT;
