-- older processes may run beside this: yes

-- Campaigns in which people look at who has what; what they are about stands in the bodies.
CREATE TABLE reviews (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  review_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('gathering', 'open', 'closed')),
  opened_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, review_id)
);
CREATE INDEX reviews_by_opening ON reviews (tenant_id, opened_at, review_id);

CREATE TABLE review_items (
  tenant_id TEXT COLLATE "C" NOT NULL,
  review_id TEXT COLLATE "C" NOT NULL,
  item_id TEXT COLLATE "C" NOT NULL,
  reviewer TEXT COLLATE "C",
  verdict TEXT COLLATE "C",
  effect TEXT COLLATE "C",
  decided_at BIGINT,
  version BIGINT NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, review_id, item_id),
  FOREIGN KEY (tenant_id, review_id) REFERENCES reviews
);
CREATE INDEX review_items_pending ON review_items (tenant_id, decided_at, review_id, item_id) WHERE effect = 'pending';
