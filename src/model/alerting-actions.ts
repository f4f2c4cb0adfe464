/**
 * Actions of the audit record that somebody outside is told at once, and why. They are compared with deploy/runbook.md by a test, and stand
 * word for word in the index that finds them: a new one needs a migration.
 */
export const alertingActions = {
  "admin.granted": "somebody was given an admin role at a vendor",
  "audit.exported": "records left through the API",
  "audit.verify_failed": "somebody verified the record and it does not hold",
  "credential.removed": "a vendor secret was removed",
  "credential.set": "a vendor secret was set",
  "hold.approved": "a held batch was let through",
  "key.deactivated": "a key at a vendor was ended",
  "key.revoked": "a key at a vendor was ended on a person's word",
  "key.rotation_begun": "a key at a vendor is being rotated",
  "mapping.activated": "a mapping version decides from now on",
  "protected.changed": "who is never touched, or how many admins must stay, changed",
  "rails.changed": "how many people may lose or gain access without a decision changed",
  "store.braked": "the store was restored or copied and writes nothing",
  "switch.started": "the stop switch was released",
  "switch.stopped": "the stop switch was thrown",
  "token.created": "a token was made, the first ones included",
  "token.revoked": "a token was ended",
} as const;

export type AlertingAction = keyof typeof alertingActions;

export function isAlerting(action: string): action is AlertingAction {
  return Object.hasOwn(alertingActions, action);
}
