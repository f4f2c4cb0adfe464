-- older processes may run beside this: yes
-- Who is losing a role at a vendor right now: the minimum of admins is counted without them.
CREATE INDEX intents_account ON intents (tenant_id, connection_id, account_id) WHERE step IN ('remove_account', 'set_account_role');
