-- older processes may run beside this: yes

-- Messages of the bus that nobody could read. They belong to no tenant: whose they are is what could not be read.
CREATE TABLE dead_letters (
  letter_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  topic TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  message_key BYTEA,
  message_value BYTEA,
  value_bytes BIGINT NOT NULL
);
CREATE INDEX dead_letters_by_age ON dead_letters (received_at, letter_id);

-- How far the audit record of a tenant was streamed out.
CREATE TABLE audit_streams (
  tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants,
  next_index BIGINT NOT NULL
);
