-- older processes may run beside this: yes

-- One person's leaving. At most one of a person's cases is not returned_at: theirs now.
CREATE TABLE leaver_cases (
  tenant_id TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'done', 'cancelled')),
  source TEXT COLLATE "C" NOT NULL CHECK (source IN ('idp', 'hr', 'operator')),
  t0 BIGINT NOT NULL,
  hr_at BIGINT,
  signal_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT,
  closed_why TEXT COLLATE "C",
  watch_until BIGINT,
  returned_at BIGINT,
  reopened_at BIGINT,
  PRIMARY KEY (tenant_id, case_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE UNIQUE INDEX leaver_cases_current ON leaver_cases (tenant_id, identity_id) WHERE returned_at IS NULL;
CREATE INDEX leaver_cases_open ON leaver_cases (tenant_id, opened_at, case_id) WHERE state = 'open';
CREATE INDEX leaver_cases_newest ON leaver_cases (tenant_id, opened_at, case_id);

-- connection_id '' is the whole case. alarm_at: when the next warning or missed deadline is told.
CREATE TABLE obligations (
  tenant_id TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('contain', 'remove', 'transfer', 'rotate_key', 'verify', 'evidence')),
  subject TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL CHECK (channel IN ('api', 'scim', 'manual')),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'done', 'waived')),
  opened_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  done_at BIGINT,
  missed_at BIGINT,
  alarm_at BIGINT NOT NULL,
  facts TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, case_id, connection_id, kind, subject),
  FOREIGN KEY (tenant_id, case_id) REFERENCES leaver_cases
);
CREATE INDEX obligations_identity ON obligations (tenant_id, identity_id, connection_id);
CREATE INDEX obligations_alarm ON obligations (alarm_at) WHERE state = 'open';
CREATE INDEX obligations_open ON obligations (tenant_id, case_id, kind) WHERE state = 'open';

-- A person said that somebody's access ends now; it counts until another lifts it.
CREATE TABLE departures (
  tenant_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  ordered_by TEXT COLLATE "C" NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  emergency BIGINT NOT NULL CHECK (emergency IN (0, 1)),
  lifted_at BIGINT,
  lifted_by TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, identity_id, at),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE UNIQUE INDEX departures_current ON departures (tenant_id, identity_id) WHERE lifted_at IS NULL;
