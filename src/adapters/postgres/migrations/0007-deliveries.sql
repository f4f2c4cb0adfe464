-- older processes may run beside this: yes

-- What was told outside, and what is still to be told: one row for each notice and channel. due_at is also the end of a lease.
CREATE TABLE deliveries (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  delivery_id TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  notice_id TEXT COLLATE "C" NOT NULL,
  notice TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('due', 'sent', 'failed')),
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  settled_at BIGINT,
  last_error TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, delivery_id)
);
CREATE UNIQUE INDEX deliveries_notice ON deliveries (tenant_id, channel, notice_id);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'due';
CREATE INDEX deliveries_newest ON deliveries (tenant_id, created_at, delivery_id);
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
