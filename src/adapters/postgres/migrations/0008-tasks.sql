-- older processes may run beside this: yes

-- What people do by hand. A key has one task that lives; what is asked for stands in the body.
CREATE TABLE tasks (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  task_id TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  connection_id TEXT COLLATE "C",
  identity_id TEXT COLLATE "C",
  assignee TEXT COLLATE "C",
  due_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  settled_at BIGINT,
  body TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, task_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE UNIQUE INDEX tasks_live_by_key ON tasks (tenant_id, key) WHERE settled_at IS NULL;
CREATE INDEX tasks_by_key ON tasks (tenant_id, key, opened_at);
CREATE INDEX tasks_by_due ON tasks (tenant_id, due_at, task_id);
CREATE INDEX tasks_by_identity ON tasks (tenant_id, identity_id, due_at);

CREATE TABLE task_evidence (
  tenant_id TEXT COLLATE "C" NOT NULL,
  evidence_id TEXT COLLATE "C" NOT NULL,
  task_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  content BYTEA,
  PRIMARY KEY (tenant_id, evidence_id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES tasks
);
CREATE INDEX task_evidence_by_task ON task_evidence (tenant_id, task_id, at, evidence_id);
