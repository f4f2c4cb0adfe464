-- older processes may run beside this: yes

-- Who was in a workspace, as people brought it. Only the last one of a connection keeps its members.
CREATE TABLE rosters (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  roster_id TEXT NOT NULL,
  captured_at INTEGER NOT NULL,
  head TEXT NOT NULL,
  members TEXT,
  PRIMARY KEY (tenant_id, connection_id, roster_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;
CREATE INDEX rosters_by_age ON rosters (tenant_id, connection_id, captured_at, roster_id);
