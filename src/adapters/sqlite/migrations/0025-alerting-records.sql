-- older processes may run beside this: yes

-- What somebody outside is told at once: found among a million others without reading them.
CREATE INDEX audit_records_alerting ON audit_records (tenant_id, commit_order) WHERE action IN ('admin.granted', 'audit.exported', 'audit.verify_failed', 'credential.removed', 'credential.set', 'hold.approved', 'key.deactivated', 'key.revoked', 'key.rotation_begun', 'mapping.activated', 'protected.changed', 'rails.changed', 'store.braked', 'switch.started', 'switch.stopped', 'token.created', 'token.revoked');
