-- older processes may run beside this: yes

-- The synthetic person who joins and leaves every day: what is declared, and what became of each run (JSON). One run at a time.
CREATE TABLE pulses (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  since INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pulse_runs (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  run_id TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pulse_runs_under_way ON pulse_runs (tenant_id) WHERE state IN ('joining', 'leaving');
