-- older processes may run beside this: yes

-- Tenant × connection. Counters are kept by the triggers below: they are asked for before every write to a vendor.
CREATE TABLE lanes (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  connection_id TEXT COLLATE "C" NOT NULL,
  vendor TEXT COLLATE "C" NOT NULL,
  profile TEXT COLLATE "C" NOT NULL,
  credential TEXT COLLATE "C" NOT NULL,
  base_url TEXT COLLATE "C",
  policy TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'paused')),
  pause TEXT COLLATE "C",
  organization TEXT COLLATE "C",
  own_account_ids TEXT COLLATE "C" NOT NULL,
  checked_at BIGINT,
  checked_credential TEXT COLLATE "C",
  listed_at BIGINT,
  next_list_at BIGINT,
  breaker_until BIGINT,
  probe_at BIGINT,
  objects_read_at BIGINT,
  -- The listing that runs or ran last, when its first page came, and how many accounts the last complete one had.
  listing_id TEXT COLLATE "C",
  listing_started_at BIGINT,
  listing_count BIGINT,
  managed_accounts BIGINT NOT NULL DEFAULT 0,
  open_invitations BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, connection_id)
);

-- ready_at is when somebody may lease the target: due_at while nobody has it, the end of the lease while somebody does.
CREATE TABLE targets (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  generation BIGINT NOT NULL,
  applied_generation BIGINT NOT NULL,
  wake BIGINT NOT NULL,
  due_at BIGINT,
  ready_at BIGINT,
  priority BIGINT NOT NULL CHECK (priority IN (0, 1, 2)),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('idle', 'due', 'waiting', 'held', 'parked', 'manual')),
  reason TEXT COLLATE "C",
  lifecycle TEXT COLLATE "C" NOT NULL CHECK (lifecycle IN ('active', 'departed')),
  hash TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  wished_at BIGINT NOT NULL,
  verified_at BIGINT,
  cause TEXT COLLATE "C" NOT NULL,
  lease_owner TEXT COLLATE "C",
  lease_until BIGINT NOT NULL DEFAULT 0,
  fence BIGINT NOT NULL DEFAULT 0,
  notes TEXT COLLATE "C" NOT NULL,
  desired TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE INDEX targets_identity ON targets (tenant_id, identity_id, connection_id);
CREATE INDEX targets_ready ON targets (tenant_id, connection_id, priority, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX targets_leased ON targets (tenant_id, connection_id, lease_until, priority) WHERE lease_owner IS NOT NULL;
CREATE INDEX targets_counts ON targets (tenant_id, connection_id, state, lifecycle, wished_at, generation, applied_generation);

CREATE TABLE links (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  account_id TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('created', 'matched', 'manual')),
  since BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE UNIQUE INDEX links_account ON links (tenant_id, connection_id, account_id);
CREATE INDEX links_identity ON links (tenant_id, identity_id, connection_id);

CREATE TABLE ledger (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('granted', 'adopted')),
  since BIGINT NOT NULL,
  because TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, identity_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);
CREATE INDEX ledger_identity ON ledger (tenant_id, identity_id);

CREATE TABLE observed_accounts (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  account_id TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  other_emails TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'invited', 'suspended', 'expired')),
  role TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C",
  created_at BIGINT,
  expires_at BIGINT,
  read_at BIGINT NOT NULL,
  listing_id TEXT COLLATE "C",
  gone BIGINT NOT NULL CHECK (gone IN (0, 1)),
  linked BIGINT NOT NULL CHECK (linked IN (0, 1)),
  open_invitation BIGINT NOT NULL GENERATED ALWAYS AS (CASE WHEN state = 'invited' AND gone = 0 AND linked = 1 THEN 1 ELSE 0 END) STORED,
  PRIMARY KEY (tenant_id, connection_id, account_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);
CREATE INDEX observed_accounts_unlinked ON observed_accounts (tenant_id, connection_id, account_id) WHERE linked = 0;
CREATE INDEX observed_accounts_role ON observed_accounts (tenant_id, connection_id, role) WHERE state = 'active' AND gone = 0;

CREATE TABLE observed_emails (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  account_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, email, account_id),
  FOREIGN KEY (tenant_id, connection_id, account_id) REFERENCES observed_accounts
);
CREATE INDEX observed_emails_account ON observed_emails (tenant_id, connection_id, account_id);

CREATE TABLE observed_grants (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  account_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  implicit BIGINT NOT NULL CHECK (implicit IN (0, 1)),
  read_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, account_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);

CREATE TABLE vendor_objects (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  archived BIGINT NOT NULL CHECK (archived IN (0, 1)),
  manageable BIGINT NOT NULL CHECK (manageable IN (0, 1)),
  PRIMARY KEY (tenant_id, connection_id, kind, object_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);

CREATE TABLE intents (
  tenant_id TEXT COLLATE "C" NOT NULL,
  intent_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  step TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  role_from TEXT COLLATE "C",
  role_to TEXT COLLATE "C",
  account_id TEXT COLLATE "C",
  generation BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('sent', 'done', 'refused', 'unsent', 'unknown')),
  sent_at BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  finished_at BIGINT,
  facts TEXT COLLATE "C",
  negative_reads TEXT COLLATE "C" NOT NULL DEFAULT '[]',
  entry_id TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, intent_id),
  FOREIGN KEY (tenant_id, connection_id, identity_id) REFERENCES targets
);
CREATE INDEX intents_target ON intents (tenant_id, connection_id, identity_id, sent_at, intent_id);
CREATE INDEX intents_open ON intents (tenant_id, connection_id, identity_id, sent_at) WHERE state IN ('sent', 'unknown');

-- scope and count_key say what is counted together: '' is the whole tenant, and every cause.
CREATE TABLE holds (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  hold_id TEXT COLLATE "C" NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  rail TEXT COLLATE "C" NOT NULL CHECK (rail IN ('removals', 'leavers', 'source', 'one_cause', 'privileged')),
  count_key TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'decided', 'lapsed')),
  opened_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by TEXT COLLATE "C",
  tripped_count BIGINT NOT NULL,
  allowance BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, hold_id)
);
CREATE UNIQUE INDEX holds_open ON holds (tenant_id, scope, rail, count_key) WHERE state = 'open';
CREATE INDEX holds_newest ON holds (tenant_id, state, opened_at, hold_id);

-- decided: a person approved it, so it never counts again, whatever becomes of it.
CREATE TABLE rail_entries (
  tenant_id TEXT COLLATE "C" NOT NULL,
  entry_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  direction TEXT COLLATE "C" NOT NULL CHECK (direction IN ('loss', 'gain')),
  role_from TEXT COLLATE "C",
  role_to TEXT COLLATE "C",
  rail TEXT COLLATE "C" NOT NULL CHECK (rail IN ('removals', 'leavers', 'source', 'one_cause', 'privileged')),
  cause_key TEXT COLLATE "C" NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  count_key TEXT COLLATE "C" NOT NULL,
  not_before BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('reserved', 'held', 'approved', 'executing', 'executed', 'cancelled', 'rejected')),
  decided BIGINT NOT NULL DEFAULT 0 CHECK (decided IN (0, 1)),
  hold_id TEXT COLLATE "C",
  reserved_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes,
  FOREIGN KEY (tenant_id, hold_id) REFERENCES holds
);
CREATE INDEX rail_entries_open ON rail_entries (tenant_id, connection_id, identity_id) WHERE state IN ('reserved', 'held', 'approved', 'executing', 'rejected');
CREATE INDEX rail_entries_person ON rail_entries (tenant_id, identity_id) WHERE state IN ('reserved', 'held', 'approved', 'executing', 'rejected');
CREATE INDEX rail_entries_counted ON rail_entries (tenant_id, scope, rail, count_key, reserved_at, identity_id) WHERE decided = 0 AND state IN ('reserved', 'executing', 'executed');
CREATE INDEX rail_entries_hold ON rail_entries (tenant_id, hold_id, entry_id) WHERE hold_id IS NOT NULL;

CREATE TABLE buckets (
  tenant_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  bucket TEXT COLLATE "C" NOT NULL,
  -- NULL: full, whatever its capacity is.
  tokens DOUBLE PRECISION,
  updated_at BIGINT NOT NULL,
  rest_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, connection_id, bucket),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES lanes
);

-- connection_id '' is every connection of the tenant.
CREATE TABLE stops (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  connection_id TEXT COLLATE "C" NOT NULL,
  covers TEXT COLLATE "C" NOT NULL CHECK (covers IN ('all', 'grants', 'removals', 'all-but-leavers')),
  stopped_by TEXT COLLATE "C" NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, covers)
);

CREATE TABLE findings (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  key TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  severity TEXT COLLATE "C" NOT NULL CHECK (severity IN ('urgent', 'warning', 'info')),
  connection_id TEXT COLLATE "C",
  identity_id TEXT COLLATE "C",
  text TEXT COLLATE "C" NOT NULL,
  facts TEXT COLLATE "C" NOT NULL,
  opened_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  resolved_at BIGINT,
  PRIMARY KEY (tenant_id, key)
);
CREATE INDEX findings_newest ON findings (tenant_id, opened_at, key);
CREATE INDEX findings_open ON findings (tenant_id, opened_at, key) WHERE resolved_at IS NULL;
CREATE INDEX findings_identity ON findings (tenant_id, identity_id, opened_at) WHERE identity_id IS NOT NULL;

-- The lane's row first: whoever stores an account anew takes it too, so that one of the two sees the other.
CREATE FUNCTION links_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lanes SET managed_accounts = managed_accounts + 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
  UPDATE observed_accounts SET linked = 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id AND account_id = new.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER links_added AFTER INSERT ON links FOR EACH ROW EXECUTE FUNCTION links_added();

CREATE FUNCTION links_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lanes SET managed_accounts = managed_accounts - 1 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id;
  UPDATE observed_accounts SET linked = 0 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id AND account_id = old.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER links_removed AFTER DELETE ON links FOR EACH ROW EXECUTE FUNCTION links_removed();

CREATE FUNCTION links_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM lanes WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id FOR NO KEY UPDATE;
  UPDATE observed_accounts SET linked = 0 WHERE tenant_id = old.tenant_id AND connection_id = old.connection_id AND account_id = old.account_id;
  UPDATE observed_accounts SET linked = 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id AND account_id = new.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER links_moved AFTER UPDATE OF account_id ON links FOR EACH ROW WHEN (old.account_id <> new.account_id) EXECUTE FUNCTION links_moved();

CREATE FUNCTION observed_accounts_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lanes SET open_invitations = open_invitations + 1 WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
  RETURN NULL;
END $$;
CREATE TRIGGER observed_accounts_added AFTER INSERT ON observed_accounts FOR EACH ROW WHEN (new.open_invitation = 1) EXECUTE FUNCTION observed_accounts_added();

CREATE FUNCTION observed_accounts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lanes SET open_invitations = open_invitations + new.open_invitation - old.open_invitation WHERE tenant_id = new.tenant_id AND connection_id = new.connection_id;
  RETURN NULL;
END $$;
CREATE TRIGGER observed_accounts_changed AFTER UPDATE ON observed_accounts FOR EACH ROW WHEN (old.open_invitation <> new.open_invitation) EXECUTE FUNCTION observed_accounts_changed();
