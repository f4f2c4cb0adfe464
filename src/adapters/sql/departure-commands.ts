import { priorities } from "../../accounts/target.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdentityId, TenantId } from "../../model/ids.ts";
import { closeEmptiedHold, lockCounted } from "./account-rails.ts";
import { wakeOne } from "./account-targets.ts";
import { writeAlso } from "./also.ts";
import type { CaseCommand } from "./case-commands.ts";
import type { Database, Steps } from "./database.ts";

export function* orderDeparture(
  db: Database,
  { tenantId, command, also }: CaseCommand<"orderDeparture">,
): Steps<null> {
  const { identityId, now } = command;
  // Leaver rails are counted over the tenant: nobody counts while this decides whom they do not hold.
  yield* lockCounted(db, tenantId, true, []);
  yield* db.tell(
    `INSERT INTO departures (tenant_id, identity_id, at, ordered_by, why, emergency) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, identity_id) WHERE lifted_at IS NULL DO UPDATE SET emergency = ${db.dialect.greatest("departures.emergency", "excluded.emergency")}`,
    tenantId,
    identityId,
    now,
    command.by,
    command.why,
    command.emergency ? 1 : 0,
  );
  if (command.emergency) yield* releaseHeld(db, tenantId, identityId, now);
  yield* writeAlso(db, tenantId, also, now);
  return null;
}

/** A person named them: their held leaving runs, and does not count. */
function* releaseHeld(
  db: Database,
  tenantId: TenantId,
  identityId: IdentityId,
  now: Instant,
): Steps<void> {
  const held = yield* db.all<{ hold_id: string | null; connection_id: string }>(
    `UPDATE rail_entries SET state = 'approved', decided = 1 WHERE tenant_id = ? AND identity_id = ? AND rail = 'leavers' AND state IN ('reserved', 'held', 'rejected')
     RETURNING hold_id, connection_id`,
    tenantId,
    identityId,
  );
  const holdIds = new Set(held.flatMap((row) => (row.hold_id === null ? [] : [row.hold_id])));
  for (const holdId of [...holdIds].toSorted()) {
    yield* closeEmptiedHold(db, tenantId, holdId, now);
  }
  for (const connectionId of [...new Set(held.map((row) => row.connection_id))].toSorted()) {
    yield* wakeOne(db, { tenantId, connectionId, identityId }, priorities.leaver, now);
  }
}

export function* liftDeparture(
  db: Database,
  { tenantId, command, also }: CaseCommand<"liftDeparture">,
): Steps<null> {
  const lifted = yield* db.run(
    "UPDATE departures SET lifted_at = ?, lifted_by = ? WHERE tenant_id = ? AND identity_id = ? AND lifted_at IS NULL",
    command.now,
    command.by,
    tenantId,
    command.identityId,
  );
  if (lifted === 0)
    throw new StoreError("NOT_FOUND", "nobody ordered that this person leaves: nothing to lift");
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}
