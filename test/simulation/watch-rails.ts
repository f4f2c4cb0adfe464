import type { Lane } from "../../src/accounts/lane.ts";
import type { Target } from "../../src/accounts/target.ts";
import { slotKey } from "../../src/model/entitlement.ts";
import type { IdentityId } from "../../src/model/ids.ts";
import { railAllowance } from "../../src/model/policy.ts";
import type { Watch, WatchedIntent } from "./watch.ts";

/**
 * Counts for itself what passed the gate: nothing passes an open hold, nobody loses before the debounce, and never more people than
 * the rail allows, those who stand to lose included.
 */
export async function judgeRails(
  watch: Watch,
  intent: WatchedIntent,
  target: Target,
  lane: Lane,
): Promise<void> {
  const { command } = intent;
  if (intent.approved) return;
  if (command.direction === "loss") {
    if (intent.departed) judgeLeavers(watch, intent, lane);
    else await judgeRemoval(watch, intent, target, lane);
  } else if (intent.cause !== "") {
    const rule = lane.policy.rails.oneCause;
    const people = recent(
      watch,
      intent,
      rule.windowMs,
      (other) =>
        other.cause === intent.cause &&
        other.command.direction === "gain" &&
        !other.command.privileged &&
        other.command.roleFrom === null,
    );
    if (people.size > railAllowance(rule, lane.managedAccounts))
      watch.fail(`${where(intent)} is gain number ${String(people.size)} of ${intent.cause}`);
  } else if (command.privileged) {
    const people = recent(
      watch,
      intent,
      86_400_000,
      (other) => other.command.privileged && other.command.direction === "gain",
    );
    if (people.size > lane.policy.rails.privilegedGrants)
      watch.fail(`${where(intent)} is privileged grant number ${String(people.size)} of the day`);
  }
}

function judgeLeavers(watch: Watch, intent: WatchedIntent, lane: Lane): void {
  const rule = lane.policy.rails.leavers;
  const people = recent(
    watch,
    intent,
    rule.windowMs,
    // Of whom HR spoke too, two sources may have said it: those have a cap of their own.
    (other) =>
      other.departed &&
      other.command.direction === "loss" &&
      watch.userOf(other.command.identityId)?.knownToHr !== true,
    true,
  );
  if (people.size > railAllowance(rule, lane.managedAccounts))
    watch.fail(`${where(intent)} is leaver number ${String(people.size)} without a decision`);
}

async function judgeRemoval(
  watch: Watch,
  intent: WatchedIntent,
  target: Target,
  lane: Lane,
): Promise<void> {
  const { tenantId, command } = intent;
  const rule = lane.policy.rails.removals;
  const holds = await watch.store.listHolds(tenantId, { state: "open", limit: 50 });
  if (holds.some((hold) => hold.rail === "removals" && hold.connectionId === lane.connectionId))
    watch.fail(`${where(intent)} went past an open hold`);
  if (!command.privileged && command.now - target.wishedAt < 0)
    watch.fail(`${where(intent)} ran before it was wished`);
  const gift = (await watch.store.listLedger(tenantId, lane.connectionId, command.identityId)).find(
    (entry) => slotKey(entry) === slotKey(command.slot),
  );
  if (watch.truth.lostItsGroup(tenantId, lane.connectionId, gift?.because ?? []))
    watch.fail(`${where(intent)} took what only a deleted group gave, and nobody decided`);
  const since = watch.truth.droppedAt(
    tenantId,
    lane.connectionId,
    command.identityId,
    slotKey(command.slot),
    command.roleTo,
  );
  const waited = since === undefined ? Infinity : watch.scheduler.now - since;
  if (!command.privileged && waited >= 0 && waited < lane.policy.timing.debounceMs)
    watch.fail(`${where(intent)} did not wait out the debounce`);
  const people = recent(
    watch,
    intent,
    rule.windowMs,
    (other) => !other.departed && other.command.direction === "loss",
  );
  for (const id of await standToLose(watch, intent, lane)) people.add(id);
  if (people.size > railAllowance(rule, lane.managedAccounts))
    watch.fail(
      `${where(intent)} ran while ${String(people.size)} people stood to lose and ${String(railAllowance(rule, lane.managedAccounts))} may`,
    );
}

/** People whose committed wish lacks what the ledger says we gave them before that wish. */
async function standToLose(
  watch: Watch,
  intent: WatchedIntent,
  lane: Lane,
): Promise<ReadonlySet<IdentityId>> {
  const { tenantId } = intent;
  const place = { connectionId: lane.connectionId };
  const targets = await watch.store.listTargets(tenantId, { ...place, limit: 200 });
  const decided = new Set(
    (await watch.store.listRailEntries(tenantId, { ...place, limit: 500 }))
      .filter(
        (entry) =>
          entry.state === "approved" || entry.state === "rejected" || entry.rail === "source",
      )
      .map((entry) => entry.identityId),
  );
  const people = new Set<IdentityId>();
  for (const target of targets) {
    if (target.desired.lifecycle === "departed" || decided.has(target.identityId)) continue;
    if (target.desired.keep.length > 0 || target.desired.unresolved.length > 0) continue;
    const wished = new Set(target.desired.assignments.map(slotKey));
    const ledger = await watch.store.listLedger(tenantId, lane.connectionId, target.identityId);
    if (ledger.some((entry) => entry.since < target.wishedAt && !wished.has(slotKey(entry))))
      people.add(target.identityId);
  }
  return people;
}

/** Different people with such a write inside the window, this one included, decided ones not. */
function recent(
  watch: Watch,
  intent: WatchedIntent,
  windowMs: number,
  like: (other: WatchedIntent) => boolean,
  wholeTenant = false,
): Set<IdentityId> {
  const people = new Set<IdentityId>();
  for (const other of watch.intents.values()) {
    if (other.tenantId !== intent.tenantId || other.approved || !like(other)) continue;
    if (!wholeTenant && other.command.connectionId !== intent.command.connectionId) continue;
    // What never left, or was refused, took nothing.
    if (other.finished === "unsent" || other.finished === "refused") continue;
    if (intent.command.now - other.command.now < windowMs) people.add(other.command.identityId);
  }
  return people;
}

function where({ tenantId, command }: WatchedIntent): string {
  return `${tenantId}/${command.connectionId} ${command.step}`;
}
