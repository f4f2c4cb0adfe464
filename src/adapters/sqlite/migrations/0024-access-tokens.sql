-- older processes may run beside this: yes

-- Tokens of applications that ask for decisions (kind access). A CHECK cannot be changed in place: the table is made anew.
CREATE TABLE tokens_now (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  token_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('scim', 'operator', 'access')),
  idp_id TEXT,
  hash TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  role TEXT CHECK (role IN ('hr')),
  read_only INTEGER NOT NULL DEFAULT 0,
  duty TEXT CHECK (duty IN ('operator', 'approver')),
  purpose TEXT CHECK (purpose IN ('link', 'session')),
  PRIMARY KEY (tenant_id, token_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT, WITHOUT ROWID;
INSERT INTO tokens_now (tenant_id, token_id, kind, idp_id, hash, label, created_at, expires_at, revoked_at, last_used_at, role, read_only, duty, purpose)
  SELECT tenant_id, token_id, kind, idp_id, hash, label, created_at, expires_at, revoked_at, last_used_at, role, read_only, duty, purpose FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_now RENAME TO tokens;
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE INDEX tokens_live ON tokens (kind) WHERE revoked_at IS NULL;
