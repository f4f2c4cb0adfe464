-- older processes may run beside this: yes

-- The synthetic person who joins and leaves every day: what is declared, and what became of each run (JSON). One run at a time.
CREATE TABLE pulses (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  since BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id)
);

CREATE TABLE pulse_runs (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  run_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, run_id)
);
CREATE UNIQUE INDEX pulse_runs_under_way ON pulse_runs (tenant_id) WHERE state IN ('joining', 'leaving');
