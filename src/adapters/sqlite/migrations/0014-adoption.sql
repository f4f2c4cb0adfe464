-- older processes may run beside this: yes

-- Accounts at vendors that are nobody's and stay because somebody answers for them; and who signed for what was there at first contact.
CREATE TABLE accepted_accounts (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  connection_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  reason TEXT NOT NULL,
  until INTEGER,
  accepted_by TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_offs (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  connection_id TEXT NOT NULL,
  signed_by TEXT NOT NULL,
  signed_at INTEGER NOT NULL,
  why TEXT NOT NULL,
  baseline TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id)
) STRICT, WITHOUT ROWID;
