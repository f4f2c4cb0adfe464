-- older processes may run beside this: yes

-- How each IdP connection is heard: counts since its first request, silences that ended (milliseconds) and the last requests, both JSON
-- and bounded.
CREATE TABLE idp_traffic (
  tenant_id TEXT NOT NULL,
  idp_id TEXT NOT NULL,
  requests INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  pauses TEXT NOT NULL,
  recent TEXT NOT NULL,
  PRIMARY KEY (tenant_id, idp_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT, WITHOUT ROWID;
