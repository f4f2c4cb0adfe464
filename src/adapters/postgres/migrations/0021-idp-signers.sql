-- older processes may run beside this: yes

-- Whose signed tokens an IdP connection takes beside ours: no two connections, of any tenant, can be meant by one token.
CREATE TABLE idp_signers (
  tenant_id TEXT COLLATE "C" NOT NULL,
  idp_id TEXT COLLATE "C" NOT NULL,
  issuer TEXT COLLATE "C" NOT NULL,
  audience TEXT COLLATE "C" NOT NULL,
  client TEXT COLLATE "C" NOT NULL,
  keys_url TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, idp_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
);
CREATE UNIQUE INDEX idp_signers_meant ON idp_signers (issuer, audience, client);
