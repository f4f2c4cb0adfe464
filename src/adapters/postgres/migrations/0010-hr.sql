-- older processes may run beside this: yes

-- By what an HR record finds its person. Users that an older process writes meanwhile are found from the other side, at their next recompute.
ALTER TABLE users ADD COLUMN employee_number TEXT COLLATE "C";
UPDATE users SET employee_number = lower(trim(CAST(resource AS JSON) #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,employeeNumber}'))
  WHERE CAST(resource AS JSON) #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,employeeNumber}' IS NOT NULL;
CREATE INDEX users_employee_number ON users (tenant_id, employee_number) WHERE employee_number IS NOT NULL AND deleted_at IS NULL;

-- Gone by the word of HR, as the last recompute saw it: the leave instant itself is in the HR record.
ALTER TABLE identities ADD COLUMN hr_departed BIGINT NOT NULL DEFAULT 0 CHECK (hr_departed IN (0, 1));

-- Who may read planned leaves.
ALTER TABLE tokens ADD COLUMN role TEXT COLLATE "C" CHECK (role IN ('hr'));

-- What hr.yaml says, as the last roll-out of the files left it.
CREATE TABLE hr_settings (
  tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants,
  document TEXT COLLATE "C" NOT NULL
);

CREATE TABLE hr_sources (
  tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants,
  source_id TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  removed_at BIGINT,
  last_message_at BIGINT,
  PRIMARY KEY (tenant_id, source_id)
);

-- Names in `secrets`. One that was rotated out is good until it expires.
CREATE TABLE hr_secrets (
  tenant_id TEXT COLLATE "C" NOT NULL,
  source_id TEXT COLLATE "C" NOT NULL,
  secret_name TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  PRIMARY KEY (tenant_id, source_id, secret_name),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources
);

-- Bodies as they came, before anybody parsed them: what was accepted can be read again by better settings.
CREATE TABLE hr_uploads (
  tenant_id TEXT COLLATE "C" NOT NULL,
  upload_id TEXT COLLATE "C" NOT NULL,
  source_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('event', 'bulk', 'file')),
  -- The event's or batch's id at its source.
  upload_key TEXT COLLATE "C" NOT NULL,
  content_type TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL,
  body_hash TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL,
  answer TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, upload_id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources
);
CREATE UNIQUE INDEX hr_uploads_key ON hr_uploads (tenant_id, source_id, kind, upload_key);
CREATE INDEX hr_uploads_unanswered ON hr_uploads (received_at) WHERE answer IS NULL;

-- One statement about one person each: a record is all of its person's, in the order of their times.
CREATE TABLE hr_messages (
  tenant_id TEXT COLLATE "C" NOT NULL,
  upload_id TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  source_id TEXT COLLATE "C" NOT NULL,
  person_key TEXT COLLATE "C",
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('applied', 'parked', 'replayed', 'dismissed')),
  -- Why it is parked.
  code TEXT COLLATE "C",
  why TEXT COLLATE "C",
  said_at BIGINT NOT NULL,
  -- The last time at which a state upload said the same again.
  repeated_at BIGINT,
  received_at BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, upload_id, position),
  FOREIGN KEY (tenant_id, upload_id) REFERENCES hr_uploads
);
CREATE INDEX hr_messages_person ON hr_messages (tenant_id, source_id, person_key) WHERE state = 'applied';
CREATE INDEX hr_messages_parked ON hr_messages (tenant_id, received_at, upload_id, position) WHERE state = 'parked';

CREATE TABLE hr_records (
  tenant_id TEXT COLLATE "C" NOT NULL,
  source_id TEXT COLLATE "C" NOT NULL,
  person_key TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  identity_id TEXT COLLATE "C",
  -- employee_number, email or operator.
  joined_by TEXT COLLATE "C",
  employee_number TEXT COLLATE "C",
  email_folded TEXT COLLATE "C",
  updated_at BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, source_id, person_key),
  FOREIGN KEY (tenant_id, source_id) REFERENCES hr_sources,
  FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
-- One person of a source is one identity, and never two.
CREATE UNIQUE INDEX hr_records_identity ON hr_records (tenant_id, identity_id, source_id) WHERE identity_id IS NOT NULL;
CREATE INDEX hr_records_waiting_number ON hr_records (tenant_id, employee_number) WHERE identity_id IS NULL;
CREATE INDEX hr_records_waiting_email ON hr_records (tenant_id, email_folded) WHERE identity_id IS NULL;
