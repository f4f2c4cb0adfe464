-- older processes may run beside this: yes

-- How each IdP connection is heard: counts since its first request, silences that ended (milliseconds) and the last requests, both JSON
-- and bounded.
CREATE TABLE idp_traffic (
  tenant_id TEXT COLLATE "C" NOT NULL,
  idp_id TEXT COLLATE "C" NOT NULL,
  requests BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  pauses TEXT COLLATE "C" NOT NULL,
  recent TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, idp_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
);
