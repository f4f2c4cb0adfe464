-- older processes may run beside this: yes

-- Accounts at vendors that are nobody's and stay because somebody answers for them; and who signed for what was there at first contact.
CREATE TABLE accepted_accounts (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  connection_id TEXT COLLATE "C" NOT NULL,
  account_id TEXT COLLATE "C" NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  until BIGINT,
  accepted_by TEXT COLLATE "C" NOT NULL,
  accepted_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, account_id)
);

CREATE TABLE sign_offs (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  connection_id TEXT COLLATE "C" NOT NULL,
  signed_by TEXT COLLATE "C" NOT NULL,
  signed_at BIGINT NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  baseline TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, connection_id)
);
