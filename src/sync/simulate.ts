import { createHash } from "node:crypto";
import { slotKey, type Slot } from "../model/entitlement.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import { canonicalJson } from "../mapping/canonical.ts";
import type { DesiredState } from "../model/assignment.ts";
import { compareRoles } from "../plan/plan.ts";
import { exceptionsFor, wishOf } from "./recompute.ts";
import type { SyncDeps } from "./sync-deps.ts";
import type { ConnectionWorld } from "./world.ts";

const pageSize = 500;
const examplesMax = 20;

/** What a change of one connection's mapping would do to everybody, counted in people. */
export interface Simulation {
  readonly people: number;
  readonly gain: number;
  readonly lose: number;
  readonly privilegedGain: number;
  readonly blocked: number;
  readonly unchanged: number;
  /** SHA-256 over who gains and loses what: an approval is bound to it. */
  readonly hash: string;
  /** The first few of each, by identity id. */
  readonly examples: readonly PersonChange[];
}

/** What a change of a mapping does to one person, in words without names. */
export interface PersonChange {
  readonly identityId: IdentityId;
  readonly gains: readonly string[];
  readonly losses: readonly string[];
  /** Something that they gain is privileged. */
  readonly privileged: boolean;
}

/** Evaluates everybody before and after, page by page: memory does not grow with the company. */
export async function simulate(
  deps: SyncDeps,
  tenantId: TenantId,
  before: ConnectionWorld | undefined,
  after: ConnectionWorld,
  /** Told of everybody who is changed, in the order of their ids. */
  tell?: (change: PersonChange) => void,
): Promise<Simulation> {
  const totals = { people: 0, gain: 0, lose: 0, privilegedGain: 0, blocked: 0, unchanged: 0 };
  const examples: PersonChange[] = [];
  const hash = createHash("sha256");
  const names = new Map(
    (after.objects ?? []).map((item) => [`${item.kind} ${item.objectId}`, item.name]),
  );
  for await (const page of identityPages(deps, tenantId)) {
    const exceptions = await exceptionsFor(deps, tenantId, page);
    for (const person of page) {
      const now = deps.clock.now();
      const own = exceptions(person);
      const next = wishOf(after, person, own, now).desired;
      const last = before === undefined ? undefined : wishOf(before, person, own, now).desired;
      const change = compareWishes(last, next, after, names);
      totals.people += 1;
      if (change.gains.length > 0) totals.gain += 1;
      if (change.losses.length > 0) totals.lose += 1;
      if (change.privileged) totals.privilegedGain += 1;
      if (next.conflicts.length > 0) totals.blocked += 1;
      if (change.gains.length + change.losses.length === 0) {
        totals.unchanged += 1;
        continue;
      }
      const told: PersonChange = { identityId: person.identityId, ...change };
      hash.update(`${canonicalJson(told)}\n`);
      if (examples.length < examplesMax) examples.push(told);
      tell?.(told);
    }
  }
  return { ...totals, hash: hash.digest("hex"), examples };
}

async function* identityPages(
  deps: SyncDeps,
  tenantId: TenantId,
): AsyncGenerator<readonly IdentityFacts[]> {
  let after: IdentityId | undefined;
  for (;;) {
    const ids = await deps.store.listIdentities(tenantId, { after, limit: pageSize });
    if (ids.length === 0) return;
    yield await deps.store.readIdentities(tenantId, ids);
    if (ids.length < pageSize) return;
    after = ids.at(-1);
  }
}

function compareWishes(
  before: DesiredState | undefined,
  after: DesiredState,
  connection: ConnectionWorld,
  /** Of the vendor's objects, by kind and id. */
  names: ReadonlyMap<string, string>,
): {
  readonly gains: readonly string[];
  readonly losses: readonly string[];
  readonly privileged: boolean;
} {
  const thing = ({ kind, objectId }: Slot) => {
    const name = names.get(`${kind} ${objectId}`);
    return objectId === "" ? kind : `${kind} ${name === undefined ? objectId : `"${name}"`}`;
  };
  const was = new Map((before?.assignments ?? []).map((item) => [slotKey(item), item]));
  const gains: string[] = [];
  const losses: string[] = [];
  let privileged = false;
  for (const item of after.assignments) {
    const old = was.get(slotKey(item));
    was.delete(slotKey(item));
    if (old?.role === item.role) continue;
    const text = `${thing(item)} ${item.role}`;
    if (
      old !== undefined &&
      compareRoles(connection.facts.kinds[item.kind], old.role, item.role) === "down"
    ) {
      losses.push(`${text} instead of ${old.role}`);
    } else {
      gains.push(text);
      if (item.privileged) privileged = true;
    }
  }
  for (const old of was.values()) {
    losses.push(`${thing(old)} ${old.role}`);
  }
  return { gains, losses, privileged };
}
