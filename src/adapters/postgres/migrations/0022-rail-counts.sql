-- older processes may run beside this: no

-- At least as many people as a rail counts in one group, so that most changes need not count. An upper bound: what leaves the window or is
-- cancelled lowers the truth and not this; a count writes it anew.
CREATE TABLE rail_counts (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  scope TEXT COLLATE "C" NOT NULL,
  rail TEXT COLLATE "C" NOT NULL,
  count_key TEXT COLLATE "C" NOT NULL,
  people_most BIGINT NOT NULL,
  -- Of the count that it stands on: a longer window may hold more.
  window_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, scope, rail, count_key)
);
