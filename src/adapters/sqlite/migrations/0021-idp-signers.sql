-- older processes may run beside this: yes

-- Whose signed tokens an IdP connection takes beside ours: no two connections, of any tenant, can be meant by one token.
CREATE TABLE idp_signers (
  tenant_id TEXT NOT NULL,
  idp_id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  audience TEXT NOT NULL,
  client TEXT NOT NULL,
  keys_url TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, idp_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX idp_signers_meant ON idp_signers (issuer, audience, client);
