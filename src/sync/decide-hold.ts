import type { Hold, RailEntry } from "../accounts/rail.ts";
import { StoreError } from "../model/errors.ts";
import { newId, type HoldId, type IdentityId, type TenantId } from "../model/ids.ts";
import type { Entitlement } from "../model/entitlement.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { foldEmail } from "../model/fold.ts";
import { DAY_MS, railAllowance } from "../model/policy.ts";
import { newRecord, type Actor, type RecomputeRequest } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** How long a rejected change stays decided before the rules are asked again. */
const rejectionMs = 90 * DAY_MS;

export interface HoldDecision {
  readonly holdId: HoldId;
  readonly decision: "approve" | "reject";
  readonly identityIds: readonly IdentityId[] | "all";
  readonly why: string;
  readonly actor: Actor;
  /** Who can decide at all, by name. */
  readonly operators: readonly string[];
}

/** What somebody wants of a batch and may not have, with the reason. */
export class HoldRefusal extends Error {
  override readonly name = "HoldRefusal";
}

/**
 * One decision for all or some people of a batch. Where two people can decide, nobody approves what their own mapping version causes, and a
 * batch of more than twice its cap wants two of them: the first word waits for the second. A rejection needs one person; it is written as
 * exceptions, so that the next recompute does not undo it: what was to be taken is granted, what was to be given is denied, for 90 days.
 * @throws StoreError NOT_FOUND, VERSION_CONFLICT when the hold is decided already; HoldRefusal
 */
export async function decideHold(
  deps: SyncDeps,
  tenantId: TenantId,
  decision: HoldDecision,
): Promise<{
  readonly people: number;
  readonly entries: number;
  readonly open: boolean;
  readonly seconding: number;
}> {
  const hold = await deps.store.getHold(tenantId, decision.holdId);
  if (hold === undefined) throw new StoreError("NOT_FOUND", `there is no hold ${decision.holdId}`);
  const entries = await entriesOf(deps, tenantId, decision);
  const alone = decision.operators.length < 2;
  const approves = decision.decision === "approve";
  if (approves && !alone) await mustBeAnothers(deps, tenantId, decision, entries);
  const twoAbove = approves && !alone ? 2 * (await capOf(deps, tenantId, hold)) : undefined;
  const recompute: RecomputeRequest[] = [];
  if (decision.decision === "reject") {
    await writeExceptions(deps, tenantId, decision, entries);
    for (const identityId of new Set(entries.map((entry) => entry.identityId))) {
      recompute.push({ identityId, cause: { kind: "operator" }, urgent: false });
    }
  }
  const result = await deps.store.decideHold(
    tenantId,
    {
      holdId: decision.holdId,
      decision: decision.decision,
      identityIds: decision.identityIds,
      by: decision.actor.id,
      twoAbove,
      now: deps.clock.now(),
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: decision.actor,
          action: decision.decision === "approve" ? "hold.approved" : "hold.rejected",
          subject: { type: "hold", id: decision.holdId },
          facts: {
            why: decision.why,
            people: decision.identityIds === "all" ? "all" : decision.identityIds,
            entries: entries.length,
            // One person decides where there is one only, and the record says so.
            ...(approves ? { alone, twoAbove: twoAbove ?? null } : {}),
          },
        }),
      ],
      recompute,
    },
  );
  deps.ringRelay();
  deps.ringWorkers(tenantId);
  return result;
}

/** What may pass without a decision. A deleted group's batch is always held: its cap is that of removals. */
async function capOf(deps: SyncDeps, tenantId: TenantId, hold: Hold): Promise<number> {
  if (hold.rail !== "source" || hold.connectionId === undefined) return hold.allowance;
  const lane = await deps.store.getLane(tenantId, hold.connectionId);
  return lane === undefined ? 0 : railAllowance(lane.policy.rails.removals, lane.managedAccounts);
}

/** @throws HoldRefusal where the approver wrote, or brought, a mapping version that some of these changes come from */
async function mustBeAnothers(
  deps: SyncDeps,
  tenantId: TenantId,
  { actor }: HoldDecision,
  entries: readonly RailEntry[],
): Promise<void> {
  const own = (await deps.store.listMappings(tenantId)).filter(
    (version) => version.author === actor.id || version.proposedBy === actor.id,
  );
  if (own.length === 0) return;
  const keys = new Set(own.map((version) => `mapping:${version.versionId}`));
  const theirs = () =>
    new HoldRefusal(
      "these changes come from a mapping version that you wrote or brought: another person approves them",
    );
  if (entries.some((entry) => keys.has(entry.causeKey))) throw theirs();
  // A removal is counted by place, not by cause: its target says where it was wished.
  const places = new Set(entries.map((entry) => `${entry.connectionId}\n${entry.identityId}`));
  const ids = [...new Set(entries.map((entry) => entry.identityId))];
  for (let at = 0; at < ids.length; at += 500) {
    for (const person of await deps.store.readPeople(tenantId, ids.slice(at, at + 500))) {
      const caused = person.targets.some(
        (target) =>
          keys.has(target.cause) && places.has(`${target.connectionId}\n${target.identityId}`),
      );
      if (caused) throw theirs();
    }
  }
}

async function entriesOf(
  deps: SyncDeps,
  tenantId: TenantId,
  decision: HoldDecision,
): Promise<readonly RailEntry[]> {
  const all: RailEntry[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listRailEntries(tenantId, {
      holdId: decision.holdId,
      limit: 500,
      ...(after === undefined ? {} : { after }),
    });
    all.push(...page);
    if (page.length < 500) break;
    after = page.at(-1)?.entryId;
  }
  const chosen = decision.identityIds === "all" ? undefined : new Set(decision.identityIds);
  return all.filter((entry) => entry.state === "held" && chosen?.has(entry.identityId) !== false);
}

async function writeExceptions(
  deps: SyncDeps,
  tenantId: TenantId,
  decision: HoldDecision,
  entries: readonly RailEntry[],
): Promise<void> {
  const people = new Map<IdentityId, IdentityFacts>();
  const ids = [...new Set(entries.map((entry) => entry.identityId))];
  for (let at = 0; at < ids.length; at += 500) {
    for (const person of await deps.store.readIdentities(tenantId, ids.slice(at, at + 500))) {
      people.set(person.identityId, person);
    }
  }
  for (const entry of entries) {
    const person = people.get(entry.identityId);
    if (person === undefined || entry.rail === "leavers") continue;
    for (const decided of await decidedThings(deps, tenantId, entry)) {
      await writeException(deps, tenantId, decision, entry, person, decided);
    }
  }
}

/** A lost account takes everything with it: who keeps it keeps all that Rolecall gave. */
async function decidedThings(
  deps: SyncDeps,
  tenantId: TenantId,
  entry: RailEntry,
): Promise<readonly Entitlement[]> {
  const own = {
    ...entry.slot,
    role: (entry.direction === "loss" ? entry.roleFrom : entry.roleTo) ?? "",
  };
  if (entry.direction === "gain" || entry.roleTo !== null) return [own];
  const ledger = await deps.store.listLedger(tenantId, entry.connectionId, entry.identityId);
  const lane = await deps.store.getLane(tenantId, entry.connectionId);
  const facts =
    lane === undefined
      ? undefined
      : deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
  return facts?.kinds[entry.slot.kind]?.account === true
    ? [own, ...ledger.filter((item) => item.kind !== entry.slot.kind)]
    : [own];
}

async function writeException(
  deps: SyncDeps,
  tenantId: TenantId,
  decision: HoldDecision,
  entry: RailEntry,
  person: IdentityFacts,
  decided: Entitlement,
): Promise<void> {
  const now = deps.clock.now();
  const exception: AccessException = {
    exceptionId: newId(deps.clock),
    person: person.emails[0] ?? foldEmail(person.userName),
    connectionId: entry.connectionId,
    effect: entry.direction === "loss" ? "grant" : "deny",
    kind: decided.kind,
    object: decided.objectId === "" ? null : { by: "id", value: decided.objectId },
    role: decided.role,
    until: now + rejectionMs,
    why: decision.why,
    by: decision.actor.id,
    source: "decision",
  };
  await deps.store.addException(
    tenantId,
    { exception, now },
    {
      records: [
        newRecord(deps.clock, {
          actor: decision.actor,
          action: "exception.added",
          subject: { type: "exception", id: exception.exceptionId },
          connectionId: entry.connectionId,
          cause: `hold:${decision.holdId}`,
          facts: {
            identityId: entry.identityId,
            effect: exception.effect,
            kind: decided.kind,
            objectId: decided.objectId,
            role: decided.role,
            until: exception.until,
          },
        }),
      ],
      recompute: [],
    },
  );
}
