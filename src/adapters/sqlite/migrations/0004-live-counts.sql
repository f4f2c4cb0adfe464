-- older processes may run beside this: no

-- Live people and groups of an IdP connection, kept by the writes in several rows: counting a million takes 10 ms and more, and
-- writers who share one row wait for each other.
CREATE TABLE live_counts (
  tenant_id TEXT NOT NULL,
  idp_id TEXT NOT NULL,
  slot INTEGER NOT NULL,
  users INTEGER NOT NULL,
  groups INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, idp_id, slot),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT, WITHOUT ROWID;

INSERT INTO live_counts (tenant_id, idp_id, slot, users, groups)
  SELECT tenant_id, idp_id, 0, user_count, group_count FROM idps WHERE user_count <> 0 OR group_count <> 0;
ALTER TABLE idps DROP COLUMN user_count;
ALTER TABLE idps DROP COLUMN group_count;
