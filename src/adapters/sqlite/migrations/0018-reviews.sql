-- older processes may run beside this: yes

-- Campaigns in which people look at who has what; what they are about stands in the bodies.
CREATE TABLE reviews (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  review_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('gathering', 'open', 'closed')),
  opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant_id, review_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_by_opening ON reviews (tenant_id, opened_at, review_id);

CREATE TABLE review_items (
  tenant_id TEXT NOT NULL,
  review_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  reviewer TEXT,
  verdict TEXT,
  effect TEXT,
  decided_at INTEGER,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant_id, review_id, item_id),
  FOREIGN KEY (tenant_id, review_id) REFERENCES reviews
) STRICT, WITHOUT ROWID;
CREATE INDEX review_items_pending ON review_items (tenant_id, decided_at, review_id, item_id) WHERE effect = 'pending';
