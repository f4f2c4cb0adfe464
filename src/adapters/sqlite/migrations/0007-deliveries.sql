-- older processes may run beside this: yes

-- What was told outside, and what is still to be told: one row for each notice and channel. due_at is also the end of a lease.
CREATE TABLE deliveries (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  delivery_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  notice_id TEXT NOT NULL,
  notice TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'failed')),
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  last_error TEXT,
  PRIMARY KEY (tenant_id, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX deliveries_notice ON deliveries (tenant_id, channel, notice_id);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'due';
CREATE INDEX deliveries_newest ON deliveries (tenant_id, created_at, delivery_id);
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
