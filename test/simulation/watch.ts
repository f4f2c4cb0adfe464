import type { StepKind } from "../../src/accounts/intent.ts";
import type { Lane } from "../../src/accounts/lane.ts";
import type { LeasedTarget } from "../../src/accounts/target.ts";
import type { Store } from "../../src/adapters/store.ts";
import { slotKey } from "../../src/model/entitlement.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../../src/model/ids.ts";
import { modeOf } from "../../src/model/policy.ts";
import type { LeasedFanout } from "../../src/events/recompute-store.ts";
import type { Also } from "../../src/model/records.ts";
import type { NetworkWatch } from "./vendor-network.ts";
import { judgeLanding } from "./watch-landing.ts";
import { judgeRails } from "./watch-rails.ts";
import type { IdpUser } from "./identity-provider.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { Truth } from "./truth.ts";
import type { Landed, VendorCall } from "./vendor-organization.ts";

export type IntentCommand = Parameters<Store["insertIntent"]>[1];

/** A write that passed the gate, and what became of it outside. */
export interface WatchedIntent {
  readonly tenantId: TenantId;
  readonly command: IntentCommand;
  readonly life: Life;
  readonly at: number;
  readonly departed: boolean;
  /** What one act it is counted under; "": it is not. */
  readonly cause: string;
  readonly approved: boolean;
  finished: string | undefined;
  sent: boolean;
  landed: boolean;
}

const stepOf: Readonly<Record<string, readonly StepKind[]>> = {
  "accounts.create": ["create_account"],
  "accounts.role": ["set_account_role"],
  "accounts.remove": ["remove_account", "cancel_invitation"],
  "grants.set": ["grant"],
  "grants.remove": ["revoke"],
};

/**
 * Watches every store command and every vendor write from outside, and says which promise was broken. It knows what was allowed and
 * what happened; it never asks the code that it judges.
 */
export class Watch implements NetworkWatch {
  readonly violations: string[] = [];
  /** Rises with every command that may have changed the store. */
  changes = 0;
  readonly intents = new Map<string, WatchedIntent>();
  readonly truth: Truth;
  readonly store: Store;
  readonly scheduler: Scheduler;
  /** Slots of which a person said that they may go. */
  readonly approvals = new Set<string>();
  /** Whose account was changed by hand at the vendor: tenant, connection, key of the person. */
  readonly meddled = new Set<string>();
  /** Whether a fan-out may be there that nobody has; and until when the others are leased. */
  #freeFanouts = false;
  readonly #leasedFanouts = new Map<string, number>();
  readonly #nights = new Map<TenantId, number>();
  readonly #fences = new Map<string, { fence: number; until: number; wake: number }>();
  readonly #bound = new Map<string, string>();
  readonly #wanted = new Map<IdentityId, number>();
  readonly #wishes = new Map<string, ReadonlyMap<string, string>>();
  readonly #whole = new Map<string, boolean>();
  /** Monotonic: until when a leaver of this lane may be late, and why. */
  readonly #excused = new Map<string, number>();
  readonly #identities = new Map<IdentityId, { tenantId: TenantId; sourceUserId: string }>();

  constructor(scheduler: Scheduler, store: Store, truth: Truth) {
    this.scheduler = scheduler;
    this.store = store;
    this.truth = truth;
  }

  fail(text: string): void {
    this.scheduler.tell("!!", () => text);
    this.violations.push(text);
  }

  /** Nobody can be expected to be in time: crashes, outages, switches. */
  excuse(
    place: { readonly tenantId: TenantId; readonly connectionId: ConnectionId } | "all",
    untilMs = 0,
  ): void {
    const key = place === "all" ? "all" : `${place.tenantId} ${place.connectionId}`;
    const until = this.scheduler.monotonic + untilMs;
    this.#excused.set(key, Math.max(this.#excused.get(key) ?? 0, until));
  }

  excusedUntil(tenantId: TenantId, connectionId: ConnectionId): number {
    return Math.max(
      this.#excused.get("all") ?? 0,
      this.#excused.get(`${tenantId} ${connectionId}`) ?? 0,
    );
  }

  userOf(identityId: IdentityId | undefined): IdpUser | undefined {
    const known = identityId === undefined ? undefined : this.#identities.get(identityId);
    return known === undefined
      ? undefined
      : this.truth.userById(known.tenantId, known.sourceUserId);
  }

  /** The identity behind a SCIM id. */
  identityOf(tenantId: TenantId, sourceUserId: string | undefined): IdentityId | undefined {
    for (const [identityId, known] of this.#identities)
      if (known.tenantId === tenantId && known.sourceUserId === sourceUserId) return identityId;
    return undefined;
  }

  // — store commands —

  readonly storeWatch = async (
    life: Life,
    name: string,
    args: readonly unknown[],
    result: unknown,
  ): Promise<void> => {
    this.#countFanouts(name, args, result);
    this.#sameTenant(name, args[0], result);
    if (!isRead(name, result) && !timeless.has(name)) this.changes += 1;
    const [tenantId, command] = args as readonly [TenantId, never];
    switch (name) {
      case "createUser":
        this.#newIdentity(tenantId, command);
        break;
      case "leaseTargets":
        this.#leased(result as readonly LeasedTarget[]);
        break;
      case "renewLease":
        if (result === true) this.#renewed(tenantId, command);
        break;
      case "insertIntent":
        if ((result as { ok: boolean }).ok) await this.#passed(life, tenantId, command);
        break;
      case "finishIntent":
        this.#finished(command);
        break;
      case "recordObjects":
      case "finishListing":
        this.#concluded(life, name, tenantId, command, result);
        break;
      case "decideHold":
        await this.#decided(tenantId, command);
        break;
      case "releaseTarget":
        if (result === true) await this.#released(tenantId, command);
        break;
      case "commitSync":
        if ((result as { applied: boolean }).applied) this.#wished(tenantId, command);
        break;
      case "activateMapping":
      case "setBindings":
        await this.#boundById(tenantId, command);
        await this.truth.readRules();
        break;
      case "finishSchedule": {
        const { job, nextAt, tenantId: whose } = args[0] as Parameters<Store["finishSchedule"]>[0];
        if (job === "rehearsal") this.#nights.set(whose, nextAt);
        break;
      }
      case "addException":
        await this.truth.readRules();
        break;
    }
  };

  /** When somebody may take a fan-out; undefined: there is none that this could know of. */
  nextFanoutAt(): number | undefined {
    const times = [...this.#leasedFanouts.values()];
    if (this.#freeFanouts) times.push(this.scheduler.now);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** When the first tenant has its rehearsal again. */
  nextNightAt(): number | undefined {
    return this.#nights.size === 0 ? undefined : Math.min(...this.#nights.values());
  }

  #countFanouts(name: string, args: readonly unknown[], result: unknown): void {
    const also = args.at(-1) as Partial<Also> | null | undefined;
    if (typeof also === "object" && (also?.fanouts?.length ?? 0) > 0) this.#freeFanouts = true;
    if (name === "leaseFanout") {
      if (result === undefined) this.#freeFanouts = false;
      else this.#leasedFanouts.set((result as LeasedFanout).fanoutId, this.scheduler.now + 30_000);
    }
    if (name === "workFanout") {
      const [{ fanout }] = args as readonly [{ readonly fanout: LeasedFanout }];
      if ((result as { finished: boolean }).finished) this.#leasedFanouts.delete(fanout.fanoutId);
      else this.#leasedFanouts.set(fanout.fanoutId, this.scheduler.now + 30_000);
    }
  }

  /** Rows that name a person are rows of the tenant that was asked for. */
  #sameTenant(name: string, tenantId: unknown, result: unknown): void {
    if (typeof tenantId !== "string" || !Array.isArray(result)) return;
    for (const row of result as readonly { readonly identityId?: IdentityId }[]) {
      const owner =
        typeof row === "object" ? this.#identities.get(row.identityId ?? noIdentity) : undefined;
      if (owner !== undefined && owner.tenantId !== tenantId)
        this.fail(`${name} answered ${tenantId} with a row of ${owner.tenantId}`);
    }
  }

  /** A reason to look again that came during a lease must not be forgotten at its end. */
  async #released(
    tenantId: TenantId,
    command: Parameters<Store["releaseTarget"]>[1],
  ): Promise<void> {
    const lease = this.#fences.get(keyOf(tenantId, command));
    if (lease?.fence !== command.fence) this.fail("an old fence released a lease");
    const target = await this.store.getTarget(tenantId, command.connectionId, command.identityId);
    if (target === undefined || target.wake === command.wake) return;
    if (target.dueAt === null || target.dueAt > command.now)
      this.fail(
        `${tenantId}/${command.connectionId}: a target that was woken meanwhile rests after its lease`,
      );
  }

  #newIdentity(
    tenantId: TenantId,
    command: { identityId: IdentityId; sourceUserId: string },
  ): void {
    this.#identities.set(command.identityId, { tenantId, sourceUserId: command.sourceUserId });
  }

  #leased(targets: readonly LeasedTarget[]): void {
    const now = this.scheduler.now;
    for (const target of targets) {
      const key = keyOf(target.tenantId, target);
      const held = this.#fences.get(key);
      if (held !== undefined && held.fence >= target.fence)
        this.fail(`a lease without a higher fence: ${key}`);
      if (this.#identities.get(target.identityId)?.tenantId !== target.tenantId)
        this.fail(`a target of another tenant was handed out as ${target.tenantId}'s`);
      this.#fences.set(key, { fence: target.fence, until: target.leaseUntil, wake: target.wake });
      if (target.leaseUntil < now) this.fail(`a lease that was over when it began: ${key}`);
    }
  }

  #renewed(tenantId: TenantId, command: Parameters<Store["renewLease"]>[1]): void {
    const lease = this.#fences.get(keyOf(tenantId, command));
    if (lease?.fence !== command.fence) this.fail("an old fence renewed a lease");
    else lease.until = command.until;
  }

  async #passed(life: Life, tenantId: TenantId, command: IntentCommand): Promise<void> {
    const { connectionId, identityId } = command;
    const where = `${tenantId}/${connectionId} ${command.step}`;
    const lease = this.#fences.get(keyOf(tenantId, command));
    if (lease === undefined || lease.fence !== command.fence)
      this.fail(`${where} passed the gate with an old fence`);
    else if (lease.until <= command.now) this.fail(`${where} passed the gate after its lease`);
    const [target, lane, stops] = await Promise.all([
      this.store.getTarget(tenantId, connectionId, identityId),
      this.store.getLane(tenantId, connectionId),
      this.store.listStops(tenantId),
    ]);
    if (target === undefined || lane === undefined) {
      this.fail(`${where} passed the gate without target or lane`);
      return;
    }
    if (target.generation !== command.generation)
      this.fail(`${where} passed the gate for a wish that is over`);
    if (lane.state !== "open") this.fail(`${where} passed the gate of a paused lane`);
    if (modeOf(lane.policy, command.slot.kind) === "report-only")
      this.fail(`${where} passed the gate of a report-only set`);
    const departed = target.desired.lifecycle === "departed";
    for (const stop of stops) {
      if (stop.connectionId !== undefined && stop.connectionId !== connectionId) continue;
      const covers =
        stop.covers === "all" ||
        (!departed &&
          (stop.covers === "all-but-leavers" ||
            stop.covers === (command.direction === "gain" ? "grants" : "removals")));
      if (covers) this.fail(`${where} passed a stop switch`);
    }
    const counted = (
      await this.store.listRailEntries(tenantId, { connectionId, identityId, limit: 50 })
    ).find(
      (entry) =>
        entry.state === "executing" &&
        slotKey(entry.slot) === slotKey(command.slot) &&
        entry.direction === command.direction,
    );
    const approved = this.approvals.has(approvalOf(tenantId, command, command.direction));
    const intent: WatchedIntent = {
      tenantId,
      command,
      life,
      at: this.scheduler.monotonic,
      departed,
      cause: counted?.rail === "one_cause" ? counted.causeKey : "",
      approved,
      finished: undefined,
      sent: false,
      landed: false,
    };
    this.intents.set(command.intentId, intent);
    await judgeRails(this, intent, target, lane);
  }

  #finished(command: Parameters<Store["finishIntent"]>[1]): void {
    const intent = this.intents.get(command.intentId);
    if (intent === undefined) this.fail("an outcome of a write that never passed the gate");
    else if (intent.finished === undefined || intent.finished === "unknown")
      intent.finished = command.state;
  }

  async #decided(tenantId: TenantId, command: Parameters<Store["decideHold"]>[1]): Promise<void> {
    if (command.decision !== "approve") return;
    const entries = await this.store.listRailEntries(tenantId, {
      holdId: command.holdId,
      limit: 500,
    });
    for (const entry of entries) {
      if (entry.state === "approved")
        this.approvals.add(approvalOf(tenantId, entry, entry.direction));
    }
  }

  #wished(tenantId: TenantId, command: Parameters<Store["commitSync"]>[1]): void {
    const { identityId, wanted } = command;
    const newest = this.#wanted.get(identityId) ?? 0;
    if (wanted <= newest) this.fail(`${tenantId}: an older look at somebody overwrote a newer one`);
    this.#wanted.set(identityId, wanted);
    if (this.#identities.get(identityId)?.tenantId !== tenantId)
      this.fail(`${tenantId} wished something for somebody of another tenant`);
    for (const wish of command.wishes) {
      const key = keyOf(tenantId, { connectionId: wish.connectionId, identityId });
      const has = new Map(wish.desired.assignments.map((item) => [slotKey(item), item.role]));
      this.truth.wished(
        tenantId,
        wish.connectionId,
        identityId,
        this.#wishes.get(key) ?? new Map(),
        has,
      );
      this.#wishes.set(key, has);
    }
  }

  async #boundById(
    tenantId: TenantId,
    command: { connectionId: ConnectionId; versionId: never },
  ): Promise<void> {
    const bindings = await this.store.listBindings(tenantId, command.versionId);
    const place = `${tenantId} ${command.connectionId} `;
    for (const key of this.#bound.keys()) {
      // A name that no rule uses any more is forgotten; used again, it means what it says then.
      const name = key.startsWith(place) ? key.slice(place.length) : undefined;
      if (name !== undefined && bindings.every((item) => item.groupName !== name))
        this.#bound.delete(key);
    }
    for (const binding of bindings) {
      if (binding.groupId === undefined) continue;
      const key = `${place}${binding.groupName}`;
      const known = this.#bound.get(key);
      if (known !== undefined && known !== binding.groupId)
        this.fail(`the name ${binding.groupName} was bound to another group by itself`);
      this.#bound.set(key, binding.groupId);
    }
  }

  // — reads —

  /** A list at a vendor goes on or ends for one process; what is concluded from it must rest on its end. */
  listed(life: Life, lane: Lane, operation: string, whole: boolean): void {
    this.#whole.set(`${life.name} ${lane.tenantId} ${lane.connectionId} ${operation}`, whole);
  }

  #concluded(
    life: Life,
    name: string,
    tenantId: TenantId,
    command: { readonly connectionId: ConnectionId },
    result: unknown,
  ): void {
    const operation = name === "recordObjects" ? "objects.list" : "accounts.list";
    const key = `${life.name} ${tenantId} ${command.connectionId} ${operation}`;
    if (this.#whole.get(key) !== true)
      this.fail(
        `${tenantId}/${command.connectionId}: ${name} concluded from a list without its end`,
      );
    if (name !== "finishListing") return;
    const { gone, previousCount = 0 } = result as {
      readonly gone: readonly AccountId[];
      readonly previousCount?: number;
    };
    const state = this.truth.organization(tenantId, command.connectionId)?.state;
    const wrong = gone.filter((id) => state?.has(id) === true);
    if (wrong.length > 3 && wrong.length > 0.2 * previousCount && previousCount > 4)
      this.fail(`${tenantId}/${command.connectionId}: an implausible list was believed`);
  }

  // — vendor writes —

  trouble(lane: Lane, what: string): void {
    const retryMs = what === "429" ? 20 * 60_000 : 0;
    this.excuse(lane, retryMs);
  }

  sent(life: Life, lane: Lane, call: VendorCall): void {
    const fits = [...this.intents.values()].find(
      (intent) =>
        !intent.sent &&
        intent.life === life &&
        intent.finished === undefined &&
        intent.tenantId === lane.tenantId &&
        intent.command.connectionId === lane.connectionId &&
        (stepOf[call.operation] ?? []).includes(intent.command.step) &&
        (call.accountId === undefined
          ? this.#isAddressOf(intent.command.identityId, call.email)
          : intent.command.accountId === call.accountId),
    );
    const where = `${lane.tenantId}/${lane.connectionId} ${call.operation}`;
    if (fits === undefined) {
      this.fail(`${where} left without an intent of its own`);
      return;
    }
    fits.sent = true;
    if (fits.command.notAfter < this.scheduler.monotonic + (fits.command.now - fits.at))
      this.fail(`${where} left after its time`);
    if (lane.policy.mode === "report-only") this.fail(`${where} left a report-only connection`);
  }

  #isAddressOf(identityId: IdentityId, email: string | undefined): boolean {
    const user = this.userOf(identityId);
    return user === undefined || email === undefined || this.truth.addressesOf(user).has(email);
  }

  async landed(life: Life, lane: Lane, what: Landed): Promise<void> {
    const { call } = what;
    const intent = [...this.intents.values()].findLast(
      (item) =>
        item.sent &&
        !item.landed &&
        item.life === life &&
        (stepOf[call.operation] ?? []).includes(item.command.step) &&
        item.tenantId === lane.tenantId &&
        item.command.connectionId === lane.connectionId &&
        (call.accountId === undefined || item.command.accountId === call.accountId),
    );
    if (intent !== undefined) intent.landed = true;
    await judgeLanding(this, lane, what);
  }
}

const noIdentity = "" as IdentityId;

/** Commands that make nothing due: rates, findings, what was seen, who is at it. */
const timeless: ReadonlySet<string> = new Set([
  "drawTokens",
  "leaseSchedule",
  "finishSchedule",
  "raiseFindings",
  "resolveFindings",
  "recordLook",
  "recordListing",
  "insertIntent",
  "finishIntent",
]);

/** Commands that change nothing, by name or by what they answer. */
function isRead(name: string, result: unknown): boolean {
  if (/^(list|get|read|find|count|open|next|mapping|recompute|groupsOf|active)/.test(name))
    return true;
  return Array.isArray(result)
    ? result.length === 0
    : name === "leaseFanout" && result === undefined;
}

export function keyOf(
  tenantId: TenantId,
  target: { readonly connectionId: ConnectionId; readonly identityId: IdentityId },
): string {
  return `${tenantId} ${target.connectionId} ${target.identityId}`;
}

export function approvalOf(
  tenantId: TenantId,
  what: {
    readonly connectionId: ConnectionId;
    readonly identityId: IdentityId;
    readonly slot: { readonly kind: string; readonly objectId: string };
  },
  direction: string,
): string {
  return `${keyOf(tenantId, what)} ${what.slot.kind} ${what.slot.objectId} ${direction}`;
}
