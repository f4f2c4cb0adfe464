-- older processes may run beside this: yes

-- What people do by hand. A key has one task that lives; what is asked for stands in the body.
CREATE TABLE tasks (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  task_id TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  connection_id TEXT,
  identity_id TEXT,
  assignee TEXT,
  due_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  settled_at INTEGER,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant_id, task_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tasks_live_by_key ON tasks (tenant_id, key) WHERE settled_at IS NULL;
CREATE INDEX tasks_by_key ON tasks (tenant_id, key, opened_at);
CREATE INDEX tasks_by_due ON tasks (tenant_id, due_at, task_id);
CREATE INDEX tasks_by_identity ON tasks (tenant_id, identity_id, due_at);

CREATE TABLE task_evidence (
  tenant_id TEXT NOT NULL,
  evidence_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  content BLOB,
  PRIMARY KEY (tenant_id, evidence_id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES tasks
) STRICT, WITHOUT ROWID;
CREATE INDEX task_evidence_by_task ON task_evidence (tenant_id, task_id, at, evidence_id);
