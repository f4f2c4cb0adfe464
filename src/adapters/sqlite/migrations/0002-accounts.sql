-- older processes may run beside this: yes

-- Tenant × connection. Counters are kept by the triggers below: they are asked for before every write to a vendor.
CREATE TABLE lanes (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  connection_id TEXT NOT NULL,
  vendor TEXT NOT NULL,
  profile TEXT NOT NULL,
  credential TEXT NOT NULL,
  base_url TEXT,
  policy TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'paused')),
  pause TEXT,
  organization TEXT,
  own_account_ids TEXT NOT NULL,
  checked_at INTEGER,
  checked_credential TEXT,
  listed_at INTEGER,
  next_list_at INTEGER,
  breaker_until INTEGER,
  probe_at INTEGER,
  objects_read_at INTEGER,
  -- The listing that runs or ran last, when its first page came, and how many accounts the last complete one had.
  listing_id TEXT,
  listing_started_at INTEGER,
  listing_count INTEGER,
  managed_accounts INTEGER NOT NULL DEFAULT 0,
  open_invitations INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, connection_id)
) STRICT, WITHOUT ROWID;

-- ready_at is when somebody may lease the target: due_at while nobody has it, the end of the lease while somebody does.
CREATE TABLE targets (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  applied_generation INTEGER NOT NULL,
  wake INTEGER NOT NULL,
  due_at INTEGER,
  ready_at INTEGER,
  priority INTEGER NOT NULL CHECK (priority IN (0, 1, 2)),
  state TEXT NOT NULL CHECK (state IN ('idle', 'due', 'waiting', 'held', 'parked', 'manual')),
  reason TEXT,
  lifecycle TEXT NOT NULL CHECK (lifecycle IN ('active', 'departed')),
  hash TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  wished_at INTEGER NOT NULL,
  verified_at INTEGER,
  cause TEXT NOT NULL,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  notes TEXT NOT NULL,
  desired TEXT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT;
CREATE INDEX targets_identity ON targets (tenant_id, identity_id, connection_id);
CREATE INDEX targets_ready ON targets (tenant_id, connection_id, priority, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX targets_leased ON targets (tenant_id, connection_id, lease_until, priority) WHERE lease_owner IS NOT NULL;
CREATE INDEX targets_counts ON targets (tenant_id, connection_id, state, lifecycle, wished_at, generation, applied_generation);

CREATE TABLE links (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  email TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('created', 'matched', 'manual')),
  since INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX links_account ON links (tenant_id, connection_id, account_id);
CREATE INDEX links_identity ON links (tenant_id, identity_id, connection_id);

CREATE TABLE ledger (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  role TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('granted', 'adopted')),
  since INTEGER NOT NULL,
  because TEXT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_identity ON ledger (tenant_id, identity_id);

CREATE TABLE observed_accounts (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  email TEXT NOT NULL,
  other_emails TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'invited', 'suspended', 'expired')),
  role TEXT NOT NULL,
  display_name TEXT,
  created_at INTEGER,
  expires_at INTEGER,
  read_at INTEGER NOT NULL,
  listing_id TEXT,
  gone INTEGER NOT NULL CHECK (gone IN (0, 1)),
  linked INTEGER NOT NULL CHECK (linked IN (0, 1)),
  open_invitation INTEGER NOT NULL AS (state = 'invited' AND gone = 0 AND linked = 1),
  PRIMARY KEY (tenant_id, connection_id, account_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_accounts_unlinked ON observed_accounts (tenant_id, connection_id, account_id) WHERE linked = 0;
CREATE INDEX observed_accounts_role ON observed_accounts (tenant_id, connection_id, role) WHERE state = 'active' AND gone = 0;

CREATE TABLE observed_emails (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  email TEXT NOT NULL,
  account_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, email, account_id),
  FOREIGN KEY (tenant_id, connection_id, account_id) REFERENCES observed_accounts
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_emails_account ON observed_emails (tenant_id, connection_id, account_id);

CREATE TABLE observed_grants (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  role TEXT NOT NULL,
  implicit INTEGER NOT NULL CHECK (implicit IN (0, 1)),
  read_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, account_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;

CREATE TABLE vendor_objects (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  name TEXT NOT NULL,
  archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
  manageable INTEGER NOT NULL CHECK (manageable IN (0, 1)),
  PRIMARY KEY (tenant_id, connection_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
  tenant_id TEXT NOT NULL,
  intent_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  step TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  role_from TEXT,
  role_to TEXT,
  account_id TEXT,
  generation INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('sent', 'done', 'refused', 'unsent', 'unknown')),
  sent_at INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  finished_at INTEGER,
  facts TEXT,
  negative_reads TEXT NOT NULL DEFAULT '[]',
  entry_id TEXT,
  PRIMARY KEY (tenant_id, intent_id),
  FOREIGN KEY (tenant_id, connection_id, identity_id) REFERENCES targets
) STRICT;
CREATE INDEX intents_target ON intents (tenant_id, connection_id, identity_id, sent_at, intent_id);
CREATE INDEX intents_open ON intents (tenant_id, connection_id, identity_id, sent_at) WHERE state IN ('sent', 'unknown');

-- scope and count_key say what is counted together: '' is the whole tenant, and every cause.
CREATE TABLE holds (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  hold_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  rail TEXT NOT NULL CHECK (rail IN ('removals', 'leavers', 'source', 'one_cause', 'privileged')),
  count_key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'decided', 'lapsed')),
  opened_at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT,
  tripped_count INTEGER NOT NULL,
  allowance INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, hold_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX holds_open ON holds (tenant_id, scope, rail, count_key) WHERE state = 'open';
CREATE INDEX holds_newest ON holds (tenant_id, state, opened_at, hold_id);

-- decided: a person approved it, so it never counts again, whatever becomes of it.
CREATE TABLE rail_entries (
  tenant_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('loss', 'gain')),
  role_from TEXT,
  role_to TEXT,
  rail TEXT NOT NULL CHECK (rail IN ('removals', 'leavers', 'source', 'one_cause', 'privileged')),
  cause_key TEXT NOT NULL,
  scope TEXT NOT NULL,
  count_key TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'held', 'approved', 'executing', 'executed', 'cancelled', 'rejected')),
  decided INTEGER NOT NULL DEFAULT 0 CHECK (decided IN (0, 1)),
  hold_id TEXT,
  reserved_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, hold_id) REFERENCES holds
) STRICT;
CREATE INDEX rail_entries_open ON rail_entries (tenant_id, connection_id, identity_id) WHERE state IN ('reserved', 'held', 'approved', 'executing', 'rejected');
CREATE INDEX rail_entries_person ON rail_entries (tenant_id, identity_id) WHERE state IN ('reserved', 'held', 'approved', 'executing', 'rejected');
CREATE INDEX rail_entries_counted ON rail_entries (tenant_id, scope, rail, count_key, reserved_at, identity_id) WHERE decided = 0 AND state IN ('reserved', 'executing', 'executed');
CREATE INDEX rail_entries_hold ON rail_entries (tenant_id, hold_id, entry_id) WHERE hold_id IS NOT NULL;

CREATE TABLE buckets (
  tenant_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  bucket TEXT NOT NULL,
  -- NULL: full, whatever its capacity is.
  tokens REAL,
  updated_at INTEGER NOT NULL,
  rest_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, connection_id, bucket),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
) STRICT, WITHOUT ROWID;

-- connection_id '' is every connection of the tenant.
CREATE TABLE stops (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  connection_id TEXT NOT NULL,
  covers TEXT NOT NULL CHECK (covers IN ('all', 'grants', 'removals', 'all-but-leavers')),
  stopped_by TEXT NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, covers)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('urgent', 'warning', 'info')),
  connection_id TEXT,
  identity_id TEXT,
  text TEXT NOT NULL,
  facts TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  resolved_at INTEGER,
  PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_newest ON findings (tenant_id, opened_at, key);
CREATE INDEX findings_open ON findings (tenant_id, opened_at, key) WHERE resolved_at IS NULL;
CREATE INDEX findings_identity ON findings (tenant_id, identity_id, opened_at) WHERE identity_id IS NOT NULL;

CREATE TRIGGER links_added AFTER INSERT ON links BEGIN
  UPDATE lanes SET managed_accounts = managed_accounts + 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
  UPDATE observed_accounts SET linked = 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id AND account_id = new.account_id;
END;
CREATE TRIGGER links_removed AFTER DELETE ON links BEGIN
  UPDATE lanes SET managed_accounts = managed_accounts - 1 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id;
  UPDATE observed_accounts SET linked = 0 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id AND account_id = old.account_id;
END;
CREATE TRIGGER links_moved AFTER UPDATE OF account_id ON links WHEN old.account_id <> new.account_id BEGIN
  UPDATE observed_accounts SET linked = 0 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id AND account_id = old.account_id;
  UPDATE observed_accounts SET linked = 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id AND account_id = new.account_id;
END;
CREATE TRIGGER observed_accounts_added AFTER INSERT ON observed_accounts WHEN new.open_invitation = 1 BEGIN
  UPDATE lanes SET open_invitations = open_invitations + 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
END;
CREATE TRIGGER observed_accounts_changed AFTER UPDATE ON observed_accounts WHEN old.open_invitation <> new.open_invitation BEGIN
  UPDATE lanes SET open_invitations = open_invitations + new.open_invitation - old.open_invitation WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
END;
