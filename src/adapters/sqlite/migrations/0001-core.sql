-- older processes may run beside this: no

-- The one row of the store itself: what it was made for, and counters that belong to no tenant.
CREATE TABLE stamp (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  world TEXT NOT NULL CHECK (world IN ('live', 'sandbox', 'test')),
  instance_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  pinged_at INTEGER,
  token_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tenants (
  tenant_id TEXT NOT NULL PRIMARY KEY,
  mapping_epoch INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idps (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  idp_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('okta', 'entra', 'generic')),
  loaded_at INTEGER,
  last_request_at INTEGER,
  -- Live ones, kept by the writes: counting a million rows takes 10 ms, and lists ask for it each time.
  user_count INTEGER NOT NULL DEFAULT 0,
  group_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, idp_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  identity_id TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  inactive_since INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, identity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  tenant_id TEXT NOT NULL,
  source_user_id TEXT NOT NULL,
  idp_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  user_name_folded TEXT NOT NULL,
  external_id TEXT,
  display_name TEXT,
  display_name_folded TEXT,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  deleted_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  resource TEXT NOT NULL,
  PRIMARY KEY (tenant_id, source_user_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT;
CREATE UNIQUE INDEX users_user_name ON users (tenant_id, idp_id, user_name_folded) WHERE deleted_at IS NULL;
CREATE INDEX users_deleted_name ON users (tenant_id, user_name_folded) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_external_id ON users (tenant_id, idp_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_live ON users (tenant_id, idp_id, source_user_id) WHERE deleted_at IS NULL;
CREATE INDEX users_identity ON users (tenant_id, identity_id, idp_id);

-- Present addresses have a position (0 is the primary one), former ones none.
CREATE TABLE user_emails (
  tenant_id TEXT NOT NULL,
  source_user_id TEXT NOT NULL,
  email_folded TEXT NOT NULL,
  position INTEGER,
  PRIMARY KEY (tenant_id, source_user_id, email_folded),
  FOREIGN KEY (tenant_id, source_user_id) REFERENCES users
) STRICT, WITHOUT ROWID;
CREATE INDEX user_emails_email ON user_emails (tenant_id, email_folded);

CREATE TABLE groups (
  tenant_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  idp_id TEXT NOT NULL,
  display_name TEXT NOT NULL,
  display_name_folded TEXT NOT NULL,
  external_id TEXT,
  member_count INTEGER NOT NULL,
  deleted_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, group_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT;
CREATE UNIQUE INDEX groups_display_name ON groups (tenant_id, idp_id, display_name_folded) WHERE deleted_at IS NULL;
CREATE INDEX groups_any_name ON groups (tenant_id, display_name_folded);
CREATE INDEX groups_external_id ON groups (tenant_id, idp_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX groups_live ON groups (tenant_id, idp_id, group_id) WHERE deleted_at IS NULL;

-- A member is a row. `kind` is what the id was when it was added; an id that was neither is kept as pending.
CREATE TABLE memberships (
  tenant_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'unknown')),
  PRIMARY KEY (tenant_id, group_id, member_id),
  FOREIGN KEY (tenant_id, group_id) REFERENCES groups
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_member ON memberships (tenant_id, member_id, group_id);
CREATE INDEX memberships_nested ON memberships (tenant_id, group_id, member_id) WHERE kind = 'group';

CREATE TABLE access_exceptions (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  exception_id TEXT NOT NULL,
  person TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('file', 'decision')),
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, exception_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_exceptions_person ON access_exceptions (tenant_id, person);

-- done < wanted is work owed; published < wanted is a hint owed.
CREATE TABLE recompute (
  tenant_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  wanted INTEGER NOT NULL,
  published INTEGER NOT NULL,
  done INTEGER NOT NULL,
  urgent INTEGER NOT NULL CHECK (urgent IN (0, 1)),
  due_at INTEGER NOT NULL,
  since INTEGER NOT NULL,
  cause_kind TEXT NOT NULL,
  cause_key TEXT,
  PRIMARY KEY (tenant_id, identity_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT, WITHOUT ROWID;
CREATE INDEX recompute_unpublished ON recompute (urgent, since) WHERE published < wanted;
CREATE INDEX recompute_owed ON recompute (urgent, tenant_id, since, due_at) WHERE done < wanted;

CREATE TABLE fanouts (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  fanout_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  cause_kind TEXT NOT NULL,
  cause_key TEXT,
  urgent INTEGER NOT NULL CHECK (urgent IN (0, 1)),
  -- 1: its people stand in fanout_people; 0: they follow from the scope, page by page.
  listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
  cursor TEXT,
  created_at INTEGER NOT NULL,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  lease_ms INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, fanout_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fanouts_oldest ON fanouts (urgent, created_at);

CREATE TABLE fanout_people (
  tenant_id TEXT NOT NULL,
  fanout_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, fanout_id, identity_id),
  FOREIGN KEY (tenant_id, fanout_id) REFERENCES fanouts
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  job TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE mapping_versions (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  version_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'active', 'superseded', 'refused')),
  document TEXT NOT NULL,
  hash TEXT NOT NULL,
  vendor TEXT NOT NULL,
  profile TEXT NOT NULL,
  proposed_at INTEGER NOT NULL,
  activated_at INTEGER,
  simulation TEXT,
  PRIMARY KEY (tenant_id, version_id)
) STRICT;
CREATE UNIQUE INDEX mapping_versions_active ON mapping_versions (tenant_id, connection_id) WHERE state = 'active';
CREATE INDEX mapping_versions_newest ON mapping_versions (tenant_id, connection_id, proposed_at);

CREATE TABLE mapping_bindings (
  tenant_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  group_name TEXT NOT NULL,
  -- '' where the file says no IdP connection: NULL would not be equal to itself in the key.
  idp_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('absent', 'bound', 'deleted', 'ambiguous')),
  group_id TEXT,
  PRIMARY KEY (tenant_id, version_id, group_name, idp_id),
  FOREIGN KEY (tenant_id, version_id) REFERENCES mapping_versions
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  name TEXT NOT NULL,
  sealed TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  token_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('scim', 'operator')),
  idp_id TEXT,
  hash TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  PRIMARY KEY (tenant_id, token_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
) STRICT, WITHOUT ROWID;
-- One token speaks for one tenant, whatever tenants there are.
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE INDEX tokens_live ON tokens (kind) WHERE revoked_at IS NULL;

-- commit_order is the order of commits: the one writer gives it out. Leaf indexes come later, from the sequencer.
CREATE TABLE audit_records (
  commit_order INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants,
  record_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  identity_id TEXT,
  connection_id TEXT,
  leaf_index INTEGER,
  -- The record without `personal`; personal values lie beside it so that they can be erased, their commitments stay.
  body TEXT NOT NULL,
  personal TEXT,
  commitments TEXT
) STRICT;
CREATE UNIQUE INDEX audit_records_id ON audit_records (tenant_id, record_id);
CREATE INDEX audit_records_order ON audit_records (tenant_id, commit_order);
CREATE INDEX audit_records_unsequenced ON audit_records (tenant_id, commit_order) WHERE leaf_index IS NULL;
CREATE INDEX audit_records_identity ON audit_records (tenant_id, identity_id, commit_order) WHERE identity_id IS NOT NULL;
CREATE INDEX audit_records_connection ON audit_records (tenant_id, connection_id, commit_order) WHERE connection_id IS NOT NULL;

CREATE TABLE audit_leaves (
  tenant_id TEXT NOT NULL,
  leaf_index INTEGER NOT NULL,
  leaf_hash TEXT NOT NULL,
  record_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, leaf_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_trees (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants,
  size INTEGER NOT NULL,
  frontier TEXT NOT NULL
) STRICT, WITHOUT ROWID;
