-- older processes may run beside this: yes

-- By what an HR record finds its person. Users that an older process writes meanwhile are found from the other side, at their next recompute.
ALTER TABLE users ADD COLUMN employee_number TEXT;
UPDATE users SET employee_number = lower(trim(json_extract(resource, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber')))
  WHERE json_extract(resource, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber') IS NOT NULL;
CREATE INDEX users_employee_number ON users (tenant_id, employee_number) WHERE employee_number IS NOT NULL AND deleted_at IS NULL;

-- Gone by the word of HR, as the last recompute saw it: the leave instant itself is in the HR record.
ALTER TABLE identities ADD COLUMN hr_departed INTEGER NOT NULL DEFAULT 0 CHECK (hr_departed IN (0, 1));

-- Who may read planned leaves.
ALTER TABLE tokens ADD COLUMN role TEXT CHECK (role IN ('hr'));

-- What hr.yaml says, as the last roll-out of the files left it.
CREATE TABLE hr_settings (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants,
  document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE hr_sources (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  source_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  removed_at INTEGER,
  last_message_at INTEGER,
  PRIMARY KEY (tenant_id, source_id)
) STRICT, WITHOUT ROWID;

-- Names in `secrets`. One that was rotated out is good until it expires.
CREATE TABLE hr_secrets (
  tenant_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  secret_name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (tenant_id, source_id, secret_name),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources
) STRICT, WITHOUT ROWID;

-- Bodies as they came, before anybody parsed them: what was accepted can be read again by better settings.
CREATE TABLE hr_uploads (
  tenant_id TEXT NOT NULL,
  upload_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('event', 'bulk', 'file')),
  -- The event's or batch's id at its source.
  upload_key TEXT NOT NULL,
  content_type TEXT NOT NULL,
  body BLOB NOT NULL,
  body_hash TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  answer TEXT,
  PRIMARY KEY (tenant_id, upload_id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources
) STRICT;
CREATE UNIQUE INDEX hr_uploads_key ON hr_uploads (tenant_id, source_id, kind, upload_key);
CREATE INDEX hr_uploads_unanswered ON hr_uploads (received_at) WHERE answer IS NULL;

-- One statement about one person each: a record is all of its person's, in the order of their times.
CREATE TABLE hr_messages (
  tenant_id TEXT NOT NULL,
  upload_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  source_id TEXT NOT NULL,
  person_key TEXT,
  state TEXT NOT NULL CHECK (state IN ('applied', 'parked', 'replayed', 'dismissed')),
  -- Why it is parked.
  code TEXT,
  why TEXT,
  said_at INTEGER NOT NULL,
  -- The last time at which a state upload said the same again.
  repeated_at INTEGER,
  received_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, upload_id, position),
  FOREIGN KEY (tenant_id, upload_id) REFERENCES hr_uploads
) STRICT, WITHOUT ROWID;
CREATE INDEX hr_messages_person ON hr_messages (tenant_id, source_id, person_key) WHERE state = 'applied';
CREATE INDEX hr_messages_parked ON hr_messages (tenant_id, received_at, upload_id, position) WHERE state = 'parked';

CREATE TABLE hr_records (
  tenant_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  person_key TEXT NOT NULL,
  version INTEGER NOT NULL,
  identity_id TEXT,
  -- employee_number, email or operator.
  joined_by TEXT,
  employee_number TEXT,
  email_folded TEXT,
  updated_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, source_id, person_key),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
) STRICT;
-- One person of a source is one identity, and never two.
CREATE UNIQUE INDEX hr_records_identity ON hr_records (tenant_id, identity_id, source_id) WHERE identity_id IS NOT NULL;
CREATE INDEX hr_records_waiting_number ON hr_records (tenant_id, employee_number) WHERE identity_id IS NULL;
CREATE INDEX hr_records_waiting_email ON hr_records (tenant_id, email_folded) WHERE identity_id IS NULL;
