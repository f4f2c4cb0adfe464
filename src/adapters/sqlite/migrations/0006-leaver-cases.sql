-- older processes may run beside this: yes

-- One person's leaving. At most one of a person's cases is not returned_at: theirs now.
CREATE TABLE leaver_cases (
  tenant_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'done', 'cancelled')),
  source TEXT NOT NULL CHECK (source IN ('idp', 'hr', 'operator')),
  t0 INTEGER NOT NULL,
  hr_at INTEGER,
  signal_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  closed_why TEXT,
  watch_until INTEGER,
  returned_at INTEGER,
  reopened_at INTEGER,
  PRIMARY KEY (tenant_id, case_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX leaver_cases_current ON leaver_cases (tenant_id, identity_id) WHERE returned_at IS NULL;
CREATE INDEX leaver_cases_open ON leaver_cases (tenant_id, opened_at, case_id) WHERE state = 'open';
CREATE INDEX leaver_cases_newest ON leaver_cases (tenant_id, opened_at, case_id);

-- connection_id '' is the whole case. alarm_at: when the next warning or missed deadline is told.
CREATE TABLE obligations (
  tenant_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('contain', 'remove', 'transfer', 'rotate_key', 'verify', 'evidence')),
  subject TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('api', 'scim', 'manual')),
  state TEXT NOT NULL CHECK (state IN ('open', 'done', 'waived')),
  opened_at INTEGER NOT NULL,
  deadline INTEGER NOT NULL,
  done_at INTEGER,
  missed_at INTEGER,
  alarm_at INTEGER NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (tenant_id, case_id, connection_id, kind, subject),
  FOREIGN KEY (tenant_id, case_id) REFERENCES leaver_cases
) STRICT, WITHOUT ROWID;
CREATE INDEX obligations_identity ON obligations (tenant_id, identity_id, connection_id);
CREATE INDEX obligations_alarm ON obligations (alarm_at) WHERE state = 'open';
CREATE INDEX obligations_open ON obligations (tenant_id, case_id, kind) WHERE state = 'open';

-- A person said that somebody's access ends now; it counts until another lifts it.
CREATE TABLE departures (
  tenant_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  ordered_by TEXT NOT NULL,
  why TEXT NOT NULL,
  emergency INTEGER NOT NULL CHECK (emergency IN (0, 1)),
  lifted_at INTEGER,
  lifted_by TEXT,
  PRIMARY KEY (tenant_id, identity_id, at),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT;
CREATE UNIQUE INDEX departures_current ON departures (tenant_id, identity_id) WHERE lifted_at IS NULL;
