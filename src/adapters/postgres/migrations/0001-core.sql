-- older processes may run beside this: no

-- The one row of the store itself: what it was made for, and counters that belong to no tenant.
CREATE TABLE stamp (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  world TEXT COLLATE "C" NOT NULL CHECK (world IN ('live', 'sandbox', 'test')),
  instance_id TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  pinged_at BIGINT,
  token_epoch BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE tenants (
  tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  mapping_epoch BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);

CREATE TABLE idps (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  idp_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('okta', 'entra', 'generic')),
  loaded_at BIGINT,
  last_request_at BIGINT,
  -- Live ones, kept by the writes: counting a million rows takes 10 ms, and lists ask for it each time.
  user_count BIGINT NOT NULL DEFAULT 0,
  group_count BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, idp_id)
);

CREATE TABLE identities (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  identity_id TEXT COLLATE "C" NOT NULL,
  active BIGINT NOT NULL CHECK (active IN (0, 1)),
  inactive_since BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, identity_id)
);

CREATE TABLE users (
  tenant_id TEXT COLLATE "C" NOT NULL,
  source_user_id TEXT COLLATE "C" NOT NULL,
  idp_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  user_name TEXT COLLATE "C" NOT NULL,
  user_name_folded TEXT COLLATE "C" NOT NULL,
  external_id TEXT COLLATE "C",
  display_name TEXT COLLATE "C",
  display_name_folded TEXT COLLATE "C",
  active BIGINT NOT NULL CHECK (active IN (0, 1)),
  deleted_at BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, source_user_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE UNIQUE INDEX users_user_name ON users (tenant_id, idp_id, user_name_folded) WHERE deleted_at IS NULL;
CREATE INDEX users_deleted_name ON users (tenant_id, user_name_folded) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_external_id ON users (tenant_id, idp_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_live ON users (tenant_id, idp_id, source_user_id) WHERE deleted_at IS NULL;
CREATE INDEX users_identity ON users (tenant_id, identity_id, idp_id);

-- Present addresses have a position (0 is the primary one), former ones none.
CREATE TABLE user_emails (
  tenant_id TEXT COLLATE "C" NOT NULL,
  source_user_id TEXT COLLATE "C" NOT NULL,
  email_folded TEXT COLLATE "C" NOT NULL,
  position BIGINT,
  PRIMARY KEY (tenant_id, source_user_id, email_folded),
  FOREIGN KEY (tenant_id, source_user_id) REFERENCES users
);
CREATE INDEX user_emails_email ON user_emails (tenant_id, email_folded);

CREATE TABLE groups (
  tenant_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  idp_id TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  display_name_folded TEXT COLLATE "C" NOT NULL,
  external_id TEXT COLLATE "C",
  member_count BIGINT NOT NULL,
  deleted_at BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, group_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
);
CREATE UNIQUE INDEX groups_display_name ON groups (tenant_id, idp_id, display_name_folded) WHERE deleted_at IS NULL;
CREATE INDEX groups_any_name ON groups (tenant_id, display_name_folded);
CREATE INDEX groups_external_id ON groups (tenant_id, idp_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX groups_live ON groups (tenant_id, idp_id, group_id) WHERE deleted_at IS NULL;

-- A member is a row. `kind` is what the id was when it was added; an id that was neither is kept as pending.
CREATE TABLE memberships (
  tenant_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  member_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('user', 'group', 'unknown')),
  PRIMARY KEY (tenant_id, group_id, member_id),
  FOREIGN KEY (tenant_id, group_id) REFERENCES groups
);
CREATE INDEX memberships_member ON memberships (tenant_id, member_id, group_id);
CREATE INDEX memberships_nested ON memberships (tenant_id, group_id, member_id) WHERE kind = 'group';

CREATE TABLE access_exceptions (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  exception_id TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL CHECK (source IN ('file', 'decision')),
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, exception_id)
);
CREATE INDEX access_exceptions_person ON access_exceptions (tenant_id, person);

-- done < wanted is work owed; published < wanted is a hint owed.
CREATE TABLE recompute (
  tenant_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  wanted BIGINT NOT NULL,
  published BIGINT NOT NULL,
  done BIGINT NOT NULL,
  urgent BIGINT NOT NULL CHECK (urgent IN (0, 1)),
  due_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  cause_kind TEXT COLLATE "C" NOT NULL,
  cause_key TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, identity_id),
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE INDEX recompute_unpublished ON recompute (urgent, since) WHERE published < wanted;
CREATE INDEX recompute_owed ON recompute (urgent, tenant_id, since, due_at) WHERE done < wanted;

CREATE TABLE fanouts (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  fanout_id TEXT COLLATE "C" NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  cause_kind TEXT COLLATE "C" NOT NULL,
  cause_key TEXT COLLATE "C",
  urgent BIGINT NOT NULL CHECK (urgent IN (0, 1)),
  -- 1: its people stand in fanout_people; 0: they follow from the scope, page by page.
  listed BIGINT NOT NULL CHECK (listed IN (0, 1)),
  cursor TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  lease_owner TEXT COLLATE "C",
  lease_until BIGINT NOT NULL DEFAULT 0,
  lease_ms BIGINT NOT NULL DEFAULT 0,
  fence BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, fanout_id)
);
CREATE INDEX fanouts_oldest ON fanouts (urgent, created_at);

CREATE TABLE fanout_people (
  tenant_id TEXT COLLATE "C" NOT NULL,
  fanout_id TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, fanout_id, identity_id),
  FOREIGN KEY (tenant_id, fanout_id) REFERENCES fanouts
);

CREATE TABLE schedules (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  job TEXT COLLATE "C" NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner TEXT COLLATE "C",
  lease_until BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, job)
);

CREATE TABLE mapping_versions (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  version_id TEXT COLLATE "C" NOT NULL,
  connection_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'active', 'superseded', 'refused')),
  document TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  vendor TEXT COLLATE "C" NOT NULL,
  profile TEXT COLLATE "C" NOT NULL,
  proposed_at BIGINT NOT NULL,
  activated_at BIGINT,
  simulation TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, version_id)
);
CREATE UNIQUE INDEX mapping_versions_active ON mapping_versions (tenant_id, connection_id) WHERE state = 'active';
CREATE INDEX mapping_versions_newest ON mapping_versions (tenant_id, connection_id, proposed_at);

CREATE TABLE mapping_bindings (
  tenant_id TEXT COLLATE "C" NOT NULL,
  version_id TEXT COLLATE "C" NOT NULL,
  group_name TEXT COLLATE "C" NOT NULL,
  -- '' where the file says no IdP connection: NULL would not be equal to itself in the key.
  idp_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('absent', 'bound', 'deleted', 'ambiguous')),
  group_id TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, version_id, group_name, idp_id),
  FOREIGN KEY (tenant_id, version_id) REFERENCES mapping_versions
);

CREATE TABLE secrets (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  name TEXT COLLATE "C" NOT NULL,
  sealed TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, name)
);

CREATE TABLE tokens (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  token_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('scim', 'operator')),
  idp_id TEXT COLLATE "C",
  hash TEXT COLLATE "C" NOT NULL,
  label TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT,
  PRIMARY KEY (tenant_id, token_id),
  FOREIGN KEY (tenant_id, idp_id) REFERENCES idps
);
-- One token speaks for one tenant, whatever tenants there are.
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE INDEX tokens_live ON tokens (kind) WHERE revoked_at IS NULL;

-- commit_order is given out at the insert: a record may become visible after one with a higher number. Leaf indexes come later, from
-- the sequencer, which looks for what has none, whatever its number.
CREATE TABLE audit_records (
  commit_order BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  record_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  identity_id TEXT COLLATE "C",
  connection_id TEXT COLLATE "C",
  leaf_index BIGINT,
  -- The record without `personal`; personal values lie beside it so that they can be erased, their commitments stay.
  body TEXT COLLATE "C" NOT NULL,
  personal TEXT COLLATE "C",
  commitments TEXT COLLATE "C"
);
CREATE UNIQUE INDEX audit_records_id ON audit_records (tenant_id, record_id);
CREATE INDEX audit_records_order ON audit_records (tenant_id, commit_order);
CREATE INDEX audit_records_unsequenced ON audit_records (tenant_id, commit_order) WHERE leaf_index IS NULL;
CREATE INDEX audit_records_identity ON audit_records (tenant_id, identity_id, commit_order) WHERE identity_id IS NOT NULL;
CREATE INDEX audit_records_connection ON audit_records (tenant_id, connection_id, commit_order) WHERE connection_id IS NOT NULL;

CREATE TABLE audit_leaves (
  tenant_id TEXT COLLATE "C" NOT NULL,
  leaf_index BIGINT NOT NULL,
  leaf_hash TEXT COLLATE "C" NOT NULL,
  record_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, leaf_index)
);

CREATE TABLE audit_trees (
  tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants,
  size BIGINT NOT NULL,
  frontier TEXT COLLATE "C" NOT NULL
);
