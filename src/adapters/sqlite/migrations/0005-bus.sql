-- older processes may run beside this: yes

-- Messages of the bus that nobody could read. They belong to no tenant: whose they are is what could not be read.
CREATE TABLE dead_letters (
  letter_id TEXT NOT NULL PRIMARY KEY,
  topic TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  why TEXT NOT NULL,
  message_key BLOB,
  message_value BLOB,
  value_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_age ON dead_letters (received_at, letter_id);

-- How far the audit record of a tenant was streamed out.
CREATE TABLE audit_streams (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants,
  next_index INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
